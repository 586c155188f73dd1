"""Events, a relay over a real store, and a destination whose failures the test writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.clock import utc_now
from shared.errors import PublishError
from shared.events.envelope import CloudEvent
from shared.events.port import Delivery, EventPublisher
from shared.events.relay import EventRelay
from shared.ids import new_id
from shared.keys import SessionKey
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import Store

START = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


def cloud(number: int, *, subject: str = "s", event_type: str = "ai.turn.completed") -> CloudEvent:
    """An event as it goes out."""
    return CloudEvent(
        id=f"{subject}-{number}",
        source="urn:the0:agent",
        type=event_type,
        subject=subject,
        time=START + timedelta(seconds=number),
        data={"session_id": subject, "n": number},
    )


async def store_events(store: Store, session_id: str, *numbers: int, event_type: str = "ai.test") -> None:
    """Puts events into the outbox of a session, made if need be."""
    key = SessionKey(user_id="alice", session_id=session_id)
    if 0 in numbers:
        await store.create_session(key=key, title="", context={}, now=START)
    events = tuple(
        OutgoingEvent(event_id=f"{session_id}-{n}", type=event_type, data={"n": n}) for n in numbers
    )
    await store.add_events(key=key, events=events, now=START)


@dataclass(slots=True)
class Listener:
    """A destination in memory. `refuses` names ids it does not take; `down` takes none."""

    name: str = "listener"
    refuses: set[str] = field(default_factory=set)
    down: bool = False
    closed: bool = False
    heard: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None

    def takes(self, event_type: str) -> bool:
        return event_type.startswith("ai.")

    async def publish(self, events: tuple[CloudEvent, ...]) -> Delivery:
        self.times.append(time.monotonic())
        if self.before is not None:
            await self.before()
        accepted: set[str] = set()
        blocked: set[str | None] = set()
        for event in events:
            if self.down or event.id in self.refuses:
                blocked.add(event.subject)
            elif event.subject not in blocked:
                accepted.add(event.id)
                self.heard.append(event.id)
        error = PublishError("refused") if blocked else None
        return Delivery(accepted=frozenset(accepted), error=error)

    async def check(self) -> None:
        if self.down:
            raise PublishError("down")

    async def close(self) -> None:
        self.closed = True


def relay_of(store: Store, *publishers: EventPublisher, idle_seconds: float = 0.05) -> EventRelay:
    """A relay of a process of its own over the store."""

    async def opened() -> Store:
        return store

    return EventRelay(
        open_store=opened,
        publishers=publishers,
        clock=utc_now,
        holder=new_id(),
        debounce_seconds=0.01,
        idle_seconds=idle_seconds,
    )


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Returns when the condition holds; raises TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
