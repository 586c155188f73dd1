"""A flood of events about many bots, the processes on its way, and the state that it ends in."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import orjson

from shared.clock import to_wire
from shared.keys import SessionKey
from shared.sessions.sql.store import SqlStore
from shared.web.auth import DEFAULT_USER
from tests.servers.agent import Agent, start_agent
from tests.servers.nats import NatsServer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

START = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
WINDOW_SECONDS = 60.0
KINDS = ("bot.execution.completed", "bot.execution.failed", "backtest.completed")
CHUNK = 250
WAIT_SECONDS = 120.0
STUCK_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """One event as its sender publishes it; a repeat has the same id."""

    id: str
    type: str
    body: bytes = field(repr=False)


def flood(events: int, bots: int) -> list[Flooded]:
    """The events in the order of their times, a fifth of a second between two."""
    return [_event(number, number % bots) for number in range(events)]


def _event(number: int, bot: int) -> Flooded:
    kind = KINDS[(number // 7 + bot) % len(KINDS)]
    data: dict[str, Any] = {
        "bot_id": f"b-{bot}",
        "session_id": f"s-{bot}",
        "user_id": DEFAULT_USER,
        "metrics": {"pnl": number, "trades": number % 9},
    }
    if kind == "bot.execution.failed":
        data["error"] = f"order {number} refused"
    stamp = to_wire(START + timedelta(seconds=number / 5))
    return Flooded(
        id=f"e-{number}", type=kind, body=orjson.dumps({"type": kind, "timestamp": stamp, "data": data})
    )


def as_it_comes(events: Sequence[Flooded], chance: random.Random) -> list[Flooded]:
    """The events with a tenth of them twice, each as late as a minute."""
    twice = [*enumerate(events), *chance.sample(list(enumerate(events)), len(events) // 10)]
    late = sorted((number / 5 + chance.uniform(0, WINDOW_SECONDS), number) for number, _ in twice)
    return [events[number] for _, number in late]


@dataclass(slots=True)
class FloodedDeployment:
    """NATS, the bridge, the events function and Postgres, each a process of its own."""

    folder: Path
    nats: NatsServer
    postgres: PostgresServer
    database: str
    port: int = field(default_factory=free_port)
    running: dict[str, Agent] = field(default_factory=dict)

    @property
    def events_url(self) -> str:
        """Where the events function takes events."""
        return f"http://127.0.0.1:{self.port}/events"

    def start(self, name: str) -> None:
        """Starts the bridge or the events function."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        if name == "bridge":
            self.running[name] = start_agent(
                folder,
                module="functions.events.nats_bridge",
                NATS_URL=self.nats.url,
                EVENTS_URL=self.events_url,
            )
        else:
            self.running[name] = start_agent(
                folder, PORT=str(self.port), DATABASE_URL=self.database, LOG_LEVEL="WARNING"
            )

    def kill(self, name: str) -> None:
        """kill -9 of the bridge or the events function."""
        process = self.running.pop(name).process
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()

    def fall(self, name: str) -> None:
        """Kills one of the four."""
        if name == "nats":
            self.nats.kill()
        elif name == "postgres":
            self.postgres.crash()
        else:
            self.kill(name)

    def rise(self, name: str) -> None:
        """Starts it again on what it had."""
        if name == "nats":
            self.nats.start()
        elif name == "postgres":
            self.postgres.start()
        else:
            self.start(name)

    def close(self) -> None:
        """Ends what runs."""
        for name in tuple(self.running):
            self.kill(name)

    async def lag(self) -> int | None:
        """What the bridge says of it; None while it does not know or is down."""
        if "bridge" not in self.running:
            return None
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                await client.get(f"{self.running['bridge'].url}/metrics")
                found = (await client.get(f"{self.running['bridge'].url}/health")).json()["lag"]
        except httpx.HTTPError:
            return None
        return None if found is None else int(found)


async def publish(nats: NatsServer, events: Sequence[Flooded]) -> None:
    """Publishes all, each until a stream has stored it, whatever becomes of the server meanwhile."""
    from nats.errors import Error
    from nats.js.errors import APIError

    for begin in range(0, len(events), CHUNK):
        left = list(events[begin : begin + CHUNK])
        deadline = time.monotonic() + WAIT_SECONDS
        while left:
            assert time.monotonic() < deadline
            try:
                async with nats.client() as client:
                    left = await _published(client.jetstream(timeout=5), left)
            except (Error, APIError, OSError, TimeoutError):
                await asyncio.sleep(0.1)


async def _published(jetstream: Any, events: list[Flooded]) -> list[Flooded]:
    """Those that were not stored."""
    answers = await asyncio.gather(
        *(jetstream.publish(event.type, event.body, headers={"Nats-Msg-Id": event.id}) for event in events),
        return_exceptions=True,
    )
    return [event for event, answer in zip(events, answers, strict=True) if isinstance(answer, Exception)]


async def make_sessions(database: str, bots: int) -> None:
    """A session for each bot."""
    async with await SqlStore.open(database) as store:
        for bot in range(bots):
            key = SessionKey(user_id=DEFAULT_USER, session_id=f"s-{bot}")
            await store.create_session(key=key, title="", context={}, now=START)


async def post_in_order(url: str, events: Sequence[Flooded]) -> None:
    """Posts the events to an events function in their order, each once, as the bridge would."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        for begin in range(0, len(events), CHUNK):
            batch = []
            for event in events[begin : begin + CHUNK]:
                body = orjson.loads(event.body)
                named = {"id": event.id, "source": f"urn:the0:nats:{event.type}", "type": event.type}
                batch.append({"specversion": "1.0", **named, "time": body["timestamp"], "data": body["data"]})
            answer = await client.post(
                url,
                content=orjson.dumps(batch),
                headers={"content-type": "application/cloudevents-batch+json"},
            )
            assert answer.status_code == 200, answer.text
            assert {result["status"] for result in answer.json()["results"]} <= {"applied", "duplicate"}


async def state_of(database: str) -> dict[str, list[Any]]:
    """All that events have left in a database, but for when it was."""
    queries = {
        "events": (
            "SELECT session_id, event_key, bot_id, type, occurred_at, body FROM bot_events ORDER BY 1, 2"
        ),
        "facts": (
            "SELECT session_id, bot_id, kind, occurred_at, event_key, event_type, value "
            "FROM bot_facts ORDER BY 1, 2, 3"
        ),
        "letters": "SELECT letter_id, reason FROM dead_letters ORDER BY 1",
    }
    conn = await asyncpg.connect(database, timeout=30)
    try:
        return {name: [tuple(row) for row in await conn.fetch(query)] for name, query in queries.items()}
    finally:
        await conn.close()


async def until_done(deployment: FloodedDeployment) -> None:
    """Returns when nothing waits; fails when for long nothing has become less, not when it is slow."""
    least: int | None = None
    deadline = time.monotonic() + STUCK_SECONDS
    while (lag := await deployment.lag()) != 0:
        if lag is not None and (least is None or lag < least):
            least, deadline = lag, time.monotonic() + STUCK_SECONDS
        assert time.monotonic() < deadline, f"{least} messages wait and nothing moves"
        await asyncio.sleep(0.5)
