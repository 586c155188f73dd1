"""`python -m bench.events`: events a second from NATS, by bridge and events function, into Postgres.

Beside it, in the same run and on the same stream, a bare nats-py pull consumer that only acknowledges. Both
take what was published before they began, so that no publisher competes for the cores. Exit status 0,
whatever the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

from bench.processes import Child, free_port, python
from tests.faults.event_flood import KINDS, flood, make_sessions, publish
from tests.servers.nats import NatsServer, nats_server
from tests.servers.postgres import postgres_server

STREAM = "RUNS"
BATCH = 250
WAIT_SECONDS = 600.0
_COUNT = "SELECT count(*) FROM bot_events"


async def bare(url: str, events: int) -> float:
    """Events a second that a plain durable pull consumer of nats-py takes and acknowledges."""
    import nats

    client = await nats.connect(url)
    jetstream = client.jetstream()
    await jetstream.add_consumer(STREAM, durable_name="bare", ack_policy="explicit")
    subscription = await jetstream.pull_subscribe_bind(consumer="bare", stream=STREAM)
    started, taken = time.perf_counter(), 0
    while taken < events:
        messages = await subscription.fetch(BATCH, timeout=10)
        for message in messages[:-1]:
            await message.ack()
        # As the bridge does: the answer to the last is one for all.
        await messages[-1].ack_sync(timeout=10)
        taken += len(messages)
    seconds = time.perf_counter() - started
    await client.close()
    return events / seconds


async def through(database: str, events: int) -> float:
    """Events a second that arrive in the database, from the first to the last."""
    conn = await asyncpg.connect(database)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        first = count = 0
        started = time.perf_counter()
        while count < events:
            assert time.monotonic() < deadline, f"{count} of {events} events arrived"
            count = await conn.fetchval(_COUNT)
            if count and not first:
                first, started = count, time.perf_counter()
            await asyncio.sleep(0.02)
        return (events - first) / (time.perf_counter() - started)
    finally:
        await conn.close()


async def fill(nats: NatsServer, events: int, bots: int) -> None:
    """Publishes the events to a stream of their own."""
    async with nats.client() as client:
        await client.jetstream().add_stream(name=STREAM, subjects=list(KINDS))
    await publish(nats, flood(events, bots))


def measure(events: int, bots: int) -> dict[str, float]:
    """The two figures, and what the processes on the way used of a core for each event."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-events-")))
        nats = stack.enter_context(nats_server())
        database = stack.enter_context(postgres_server()).create_database()
        asyncio.run(make_sessions(database, bots))
        asyncio.run(fill(nats, events, bots))
        plain = asyncio.run(bare(nats.url, events))
        port = free_port()
        function = stack.enter_context(
            Child(
                "events function",
                python("-m", "infra.local.gateway"),
                folder=folder,
                PORT=str(port),
                DATA_DIR=str(folder / "data"),
                DATABASE_URL=database,
                LOG_LEVEL="WARNING",
            )
        )
        function.wait_for_port(port)
        bridge = stack.enter_context(
            Child(
                "bridge",
                python("-m", "functions.events.nats_bridge"),
                folder=folder,
                PORT="0",
                NATS_URL=nats.url,
                EVENTS_URL=f"http://127.0.0.1:{port}/events",
                LOG_LEVEL="WARNING",
            )
        )
        started = {child.name: child.cpu_seconds for child in (function, bridge)}
        whole = asyncio.run(through(database, events))
        return {
            "bare nats-py consumer, events/s": plain,
            "NATS to Postgres, events/s": whole,
            "ratio": whole / plain,
            **{
                f"CPU of the {child.name}, ms an event": (child.cpu_seconds - started[child.name])
                / events
                * 1000
                for child in (function, bridge)
            },
        }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m bench.events", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--bots", type=int, default=1_000)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    busy = psutil.cpu_percent(interval=2)
    for name, figure in measure(arguments.events, arguments.bots).items():
        sys.stdout.write(f"{name:45} {figure:10.3f}\n")
    sys.stdout.write(
        f"{arguments.events} events of {arguments.bots} bots, {os.cpu_count()} cores, "
        f"load before {load:.1f}, CPU before {busy:.0f} %\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
