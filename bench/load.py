"""`python -m bench.load`: all functions together under load for some minutes, and what grew or failed.

Chat, tools, artifacts and events, each a process of its own, on Postgres, an S3 server, NATS and Valkey, with
a model server in place of the model. Exit status 0 when there was no error and nothing grew.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]
import orjson

from bench.load_clients import LoadPlan, Seen
from bench.load_deployment import LoadDeployment, load_deployment
from bench.load_report import growth_of, percentiles, tables, write_between
from bench.load_samples import Sampler, Samples
from bench.processes import Child, allow_many_files, python
from bench.run import machine

OUT = Path(__file__).parent / "measurements" / "load.json"
SAMPLE_SECONDS = 10.0
_SETTLE_SECONDS = 60.0
_KEPT = """
SELECT (SELECT count(*) FROM turns WHERE status = 'completed') AS turns,
       (SELECT count(*) FROM bot_events) AS events,
       (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS waiting
"""


@contextmanager
def load_clients(folder: Path) -> Iterator[Child]:
    """The process of the users; it waits for its plan."""
    with Child("clients", python("-m", "bench.load_clients"), folder=folder, talks=True) as child:
        yield child


def plan_for(deployment: LoadDeployment, *, sessions: int, minutes: float, pause: float) -> LoadPlan:
    """The clients' plan for a deployment."""
    return LoadPlan(
        sessions=sessions,
        seconds=minutes * 60,
        pause=pause,
        ports=deployment.ports,
        secret=deployment.secret,
        nats_url=deployment.nats.url,
    )


async def make_load(deployment: LoadDeployment, clients: Child, plan: LoadPlan) -> tuple[Seen, Samples]:
    """Has the clients make the load while samples are taken."""
    stdin, stdout = clients.process.stdin, clients.process.stdout
    assert stdin is not None
    assert stdout is not None
    stdin.write(orjson.dumps(dataclasses.asdict(plan)) + b"\n")
    stdin.flush()
    sampler = Sampler(deployment, clients)
    sampling = asyncio.create_task(sampler.run(SAMPLE_SECONDS))
    line = await asyncio.to_thread(stdout.readline)
    if sampling.done():
        sampling.result()
    sampling.cancel()
    with suppress(asyncio.CancelledError):
        await sampling
    if not line:
        raise clients.failure("ended")
    return Seen(**orjson.loads(line)), sampler.samples


async def what_is_missing(deployment: LoadDeployment, seen: Seen) -> list[str]:
    """What was acknowledged and is not in the store, or has not gone out, when all has settled."""
    conn = await asyncpg.connect(deployment.database)
    try:
        for _ in range(int(_SETTLE_SECONDS)):
            kept = await conn.fetchrow(_KEPT)
            if kept["waiting"] == 0 and kept["turns"] >= seen.turns and kept["events"] >= seen.events:
                return []
            await asyncio.sleep(1)
    finally:
        await conn.close()
    return [
        f"kept: {kept['turns']} of {seen.turns} turns, {kept['events']} of {seen.events} events; "
        f"{kept['waiting']} events did not go out"
    ]


def result_of(
    seen: Seen, samples: Samples, missing: list[str], facts: dict[str, Any], plan: LoadPlan
) -> dict[str, Any]:
    """The whole finding as JSON values."""
    growth = [growth_of(name, samples.seconds, figures) for name, figures in samples.series.items()]
    errors = {name: count for name, count in sorted(seen.errors.items())}
    complaints = [f"{count} x {name}" for name, count in errors.items()] + missing
    complaints += [f"{each.name} grew by {each.growth:.1f}" for each in growth if each.grows]
    operations = sum(map(len, seen.seconds.values()))
    span = samples.seconds[-1] - samples.seconds[0]
    return {
        "plan": {"sessions": plan.sessions, "minutes": plan.seconds / 60, "pause": plan.pause},
        "machine": facts,
        "operations": operations,
        "operations_a_second": operations / plan.seconds,
        "turns": seen.turns,
        "events": seen.events,
        "errors": errors,
        "errors_in_all": sum(errors.values()),
        "percentiles": {name: percentiles(seconds) for name, seconds in seen.seconds.items()},
        "growth": [
            {**dataclasses.asdict(each), "allowed": each.allowed, "grows": each.grows} for each in growth
        ],
        "transactions_an_operation": (samples.commits[-1] - samples.commits[0]) / max(operations, 1),
        "cores_used": {name: (cpu[-1] - cpu[0]) / span for name, cpu in samples.cpu.items()},
        "samples": {"seconds": samples.seconds, **samples.series},
        "complaints": complaints,
        "good": not complaints,
    }


def main() -> int:
    """Makes the load, prints the tables, keeps the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=60.0, help="mean seconds between two operations")
    parser.add_argument("--out", type=Path, default=OUT, help="where the result goes as JSON")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="puts the tables between the page's marks")
    parser.add_argument("--keep-logs", type=Path, metavar="FOLDER", help="where the processes' logs stay")
    arguments = parser.parse_args()
    allow_many_files()
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="bench-load-") as name:
        folder = arguments.keep_logs or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        with load_deployment(folder) as deployment, load_clients(folder) as clients:
            plan = plan_for(
                deployment, sessions=arguments.sessions, minutes=arguments.minutes, pause=arguments.pause
            )
            seen, samples = asyncio.run(make_load(deployment, clients, plan))
            missing = asyncio.run(what_is_missing(deployment, seen))
    result = result_of(seen, samples, missing, facts, plan)
    arguments.out.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")
    text = tables(result)
    sys.stdout.write(text)
    if arguments.write is not None:
        write_between(arguments.write, text)
    return 0 if result["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
