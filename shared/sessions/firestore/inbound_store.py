"""The part of `FirestoreStore` about events that come in."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.keys import SessionKey
from shared.sessions.firestore import bot_events, dead_letters
from shared.sessions.firestore.opened import OpenedFirestore
from shared.sessions.inbound_port import AddressedEvent, DeadLetter, Outcome, RecordedEvent
from shared.sessions.page import Page


class FirestoreInbound(OpenedFirestore):
    """`BotEvents` and `DeadLetters` of the port."""

    async def record_events(
        self, *, events: tuple[AddressedEvent, ...], now: datetime
    ) -> tuple[Outcome, ...]:
        outcomes: list[Outcome] = []
        for start in range(0, len(events), bot_events.EVENTS_AT_ONCE):
            some = events[start : start + bot_events.EVENTS_AT_ONCE]
            work = partial(bot_events.record_events, events=some, now=now)
            outcomes += await self._runner.write(work, queue="bot events")
        return tuple(outcomes)

    async def bot_history(
        self, *, user_id: str, bot_id: str, limit: int, cursor: str | None
    ) -> Page[RecordedEvent]:
        return await self._runner.read(
            partial(bot_events.bot_history, user_id=user_id, bot_id=bot_id, limit=limit, cursor=cursor)
        )

    async def sessions_of_id(self, *, session_id: str) -> tuple[SessionKey, ...]:
        return await self._runner.read(partial(bot_events.sessions_of_id, session_name=session_id))

    async def keep_dead_letters(self, *, letters: tuple[DeadLetter, ...]) -> None:
        for start in range(0, len(letters), dead_letters.LETTERS_AT_ONCE):
            some = letters[start : start + dead_letters.LETTERS_AT_ONCE]
            await self._runner.write(
                partial(dead_letters.keep_dead_letters, letters=some), queue="dead letters"
            )

    async def list_dead_letters(self, *, limit: int, cursor: str | None) -> Page[DeadLetter]:
        return await self._runner.read(partial(dead_letters.list_dead_letters, limit=limit, cursor=cursor))

    async def load_dead_letter(self, *, letter_id: str) -> DeadLetter:
        return await self._runner.read(partial(dead_letters.load_dead_letter, letter_id=letter_id))

    async def settle_dead_letters(self, *, letter_ids: tuple[str, ...], now: datetime) -> None:
        # Its time is of no use here: a letter goes by when it was received.
        for start in range(0, len(letter_ids), dead_letters.LETTERS_AT_ONCE):
            some = letter_ids[start : start + dead_letters.LETTERS_AT_ONCE]
            await self._runner.write(
                partial(dead_letters.settle_dead_letters, letter_ids=some), queue="dead letters"
            )

    async def dead_letters_of_bot(self, *, bot_id: str, limit: int) -> tuple[DeadLetter, ...]:
        return await self._runner.read(partial(dead_letters.dead_letters_of_bot, bot_id=bot_id, limit=limit))

    async def count_dead_letters(self) -> int:
        return await self._runner.read(dead_letters.count_dead_letters)
