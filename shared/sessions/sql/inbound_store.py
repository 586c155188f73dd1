"""The part of `SqlStore` about events that come in."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.keys import SessionKey
from shared.sessions.inbound_port import AddressedEvent, DeadLetter, Outcome, RecordedEvent
from shared.sessions.page import Page
from shared.sessions.sql import bot_events, dead_letters
from shared.sessions.sql.opened import OpenedDatabase


class SqlInbound(OpenedDatabase):
    """`BotEvents` and `DeadLetters` of the port."""

    async def record_events(
        self, *, events: tuple[AddressedEvent, ...], now: datetime
    ) -> tuple[Outcome, ...]:
        return await self._write(partial(bot_events.record_events, events=events, now=now))

    async def bot_history(
        self, *, user_id: str, bot_id: str, limit: int, cursor: str | None
    ) -> Page[RecordedEvent]:
        return await self._read(
            partial(bot_events.bot_history, user_id=user_id, bot_id=bot_id, limit=limit, cursor=cursor)
        )

    async def sessions_of_id(self, *, session_id: str) -> tuple[SessionKey, ...]:
        return await self._read(partial(bot_events.sessions_of_id, session_id=session_id))

    async def keep_dead_letters(self, *, letters: tuple[DeadLetter, ...]) -> None:
        await self._write(partial(dead_letters.keep_dead_letters, letters=letters))

    async def list_dead_letters(self, *, limit: int, cursor: str | None) -> Page[DeadLetter]:
        return await self._read(partial(dead_letters.list_dead_letters, limit=limit, cursor=cursor))

    async def load_dead_letter(self, *, letter_id: str) -> DeadLetter:
        return await self._read(partial(dead_letters.load_dead_letter, letter_id=letter_id))

    async def settle_dead_letters(self, *, letter_ids: tuple[str, ...], now: datetime) -> None:
        await self._write(partial(dead_letters.settle_dead_letters, letter_ids=letter_ids, now=now))

    async def dead_letters_of_bot(self, *, bot_id: str, limit: int) -> tuple[DeadLetter, ...]:
        return await self._read(partial(dead_letters.dead_letters_of_bot, bot_id=bot_id, limit=limit))

    async def count_dead_letters(self) -> int:
        return await self._read(dead_letters.count_dead_letters)
