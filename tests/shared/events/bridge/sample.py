"""Messages of NATS, and a bridge over real servers whose pauses are short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.events.bridge.bridge import Bridge
from shared.events.bridge.broker.nats import NatsBroker
from shared.events.bridge.forwarding import HttpForwarder
from shared.events.bridge.port import Forwarder, Received
from shared.events.nats_connection import NatsAccess
from tests.servers.event_receiver import Receiver
from tests.servers.nats import NatsServer
from tests.servers.web_service import web_service

RUN = "bot.execution.completed"
PLATFORM_SUBJECTS = [
    f"the0.{kind}.{change}"
    for kind in ("bot", "bot-schedule")
    for change in ("created", "updated", "deleted")
]
STORED_NS = 1_795_000_000_123_456_789


def received(
    data: bytes, *, subject: str = RUN, headers: Mapping[str, str] | None = None, **more: Any
) -> Received:
    """A message as the broker gives it."""
    given: dict[str, Any] = {"stored_ns": STORED_NS, "delivered": 1, **more}
    return Received(
        stream="S", sequence=7, subject=subject, headers=headers or {}, data=data, handle="h", **given
    )


@dataclass(slots=True)
class Bench:
    """A bridge between a NATS server and a receiver."""

    nats: NatsServer
    receiver: Receiver
    bridge: Bridge
    made: list[Bridge] = field(default_factory=list)

    async def begin(self) -> None:
        """Starts the bridge; its stream is there then, so that nothing published is lost."""
        self.bridge.begin()
        await self.until(lambda: self.bridge.figures.lag is not None)

    async def publish(self, *numbers: int, subject: str = RUN, named: bool = True) -> None:
        """Plain messages on a subject, each named by its number."""
        async with self.nats.client() as client:
            for number in numbers:
                headers = {"Nats-Msg-Id": f"e-{number}"} if named else None
                await client.publish(subject, orjson.dumps({"bot_id": "b", "n": number}), headers=headers)
            await client.flush()

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Returns when the condition holds; raises TimeoutError when it does not in time."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    async def until_count(self, count: int) -> None:
        """Returns when so many events were accepted, repeats too."""
        await self.until(lambda: len(self.receiver.events) >= count)

    async def until_empty(self, seconds: float = 30) -> None:
        """Returns when nothing waits in NATS."""
        async with asyncio.timeout(seconds):
            while await self.bridge.look():
                await asyncio.sleep(0.05)


def bridge_of(
    servers: tuple[str, ...], forwarder: Forwarder, *, max_deliveries: int = 6, **access: Any
) -> Bridge:
    """A bridge that is in a hurry."""
    return Bridge(
        broker=NatsBroker(NatsAccess(servers=servers, **access)),
        forwarder=forwarder,
        max_deliveries=max_deliveries,
        first_pause=0.02,
    )


@asynccontextmanager
async def bench_on(nats: NatsServer, *, url: str | None = None, **access: Any) -> AsyncIterator[Bench]:
    """A bridge from the server to a receiver in this process."""
    receiver = Receiver()
    async with web_service(receiver.answer) as service:
        forwarder = HttpForwarder(url=f"{service.url}/events", credentials=None, seconds=5)
        bridge = bridge_of((url or nats.url,), forwarder, **access)
        yield Bench(nats, receiver, bridge)
        await bridge.close()
