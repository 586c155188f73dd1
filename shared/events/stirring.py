"""An outbox that tells the relay when something is put into it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.keys import SessionKey
from shared.sessions.outbox_port import EventOutbox, OutboxLag, OutgoingEvent, StoredEvent


class StirringOutbox:
    """`EventOutbox` over another; `stir` is called when events were added."""

    def __init__(self, outbox: EventOutbox, stir: Callable[[], None]) -> None:
        self._outbox = outbox
        self._stir = stir

    async def add_events(
        self,
        *,
        key: SessionKey,
        events: tuple[OutgoingEvent, ...],
        now: datetime,
        turn_id: str | None = None,
    ) -> None:
        await self._outbox.add_events(key=key, events=events, now=now, turn_id=turn_id)
        self._stir()

    async def unpublished_events(self, *, limit: int) -> tuple[StoredEvent, ...]:
        return await self._outbox.unpublished_events(limit=limit)

    async def mark_published(self, *, events: tuple[StoredEvent, ...], now: datetime) -> None:
        await self._outbox.mark_published(events=events, now=now)

    async def outbox_lag(self) -> OutboxLag:
        return await self._outbox.outbox_lag()
