"""What the domain asks of the outbox: events stored with their cause, and published from there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.keys import SessionKey
from shared.tracing.context import current_traceparent


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingEvent:
    """An event to publish, stored in the same write as its cause; its id never changes.

    `traceparent` is where in a trace it was caused, for whoever hears of it to go on there.
    """

    event_id: str
    type: str
    data: dict[str, Any] = field(hash=False)
    traceparent: str | None = field(default_factory=current_traceparent)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event that waits to be published; `sequence` names it to the outbox, in the order to publish."""

    sequence: int
    key: SessionKey
    event: OutgoingEvent
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLag:
    """How much waits to be published, and since when (None: nothing does)."""

    waiting: int
    oldest: datetime | None


class EventOutbox(Protocol):
    """Events to publish, at least once, in order within a session.

    An event of an unfinished turn is held: it becomes visible when the turn ends, and goes away with one
    that is rolled back. Its sequence number is given when it becomes visible.
    """

    async def add_events(
        self,
        *,
        key: SessionKey,
        events: tuple[OutgoingEvent, ...],
        now: datetime,
        turn_id: str | None = None,
    ) -> None:
        """Stores the events, all or none; one whose id the user's outbox holds already stays as it is.

        With `turn_id` of an unfinished turn of the session they are held for its end.

        Raises:
            SessionNotFoundError: the user has no such session.
            SessionConflictError: the turn was rolled back.
        """
        ...

    async def unpublished_events(self, *, limit: int) -> tuple[StoredEvent, ...]:
        """The oldest to be published, by sequence; for the one process that holds the relay's lease."""
        ...

    async def mark_published(self, *, events: tuple[StoredEvent, ...], now: datetime) -> None:
        """They were accepted by every broker and need not come again."""
        ...

    async def outbox_lag(self) -> OutboxLag:
        """What waits to be published."""
        ...
