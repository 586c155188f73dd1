"""What the domain asks of the store about events that come in: kept once, and derived into contexts.

An event is kept for each session that it is about, and never changed. What a session's context shows of its
events (`Session.derived`) comes from the newest of each kind by the events' own time: the order in which they
arrive does not matter, a repeat changes nothing, and instances that take them in need not know of each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from shared.bots.facts import BotEvent
from shared.keys import SessionKey
from shared.sessions.page import Page

MOST_EVENTS = 1000

Outcome = Literal["applied", "duplicate", "unknown_session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedEvent:
    """An event, and the sessions that it is about: of one user, who owns the bot."""

    event: BotEvent
    keys: tuple[SessionKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """An event as a bot's history has it."""

    key: SessionKey
    source: str
    event_id: str
    type: str
    time: datetime
    received_at: datetime
    bot_id: str | None
    data: dict[str, Any] = field(hash=False)


class BotHistory(Protocol):
    """What is read of a bot's past."""

    async def bot_history(
        self, *, user_id: str, bot_id: str, limit: int, cursor: str | None
    ) -> Page[RecordedEvent]:
        """See `BotEvents`."""
        ...


class BotEvents(Protocol):
    """Events about bots and their sessions."""

    async def record_events(
        self, *, events: tuple[AddressedEvent, ...], now: datetime
    ) -> tuple[Outcome, ...]:
        """Keeps each event for those of its sessions that are there, with what it tells; what became of each.

        At most `MOST_EVENTS`. Each is kept for all its sessions or for none; all of them in one transaction
        where the database takes one of that size. `duplicate`: every session that is there had it already.
        `unknown_session`: none is there; nothing was kept.
        """
        ...

    async def bot_history(
        self, *, user_id: str, bot_id: str, limit: int, cursor: str | None
    ) -> Page[RecordedEvent]:
        """The events of a bot in the user's sessions, newest first by their time; each once.

        A page may hold fewer than `limit`. Events go 30 days after they were received.

        Raises:
            InvalidRequestError: a bad cursor.
        """
        ...

    async def sessions_of_id(self, *, session_id: str) -> tuple[SessionKey, ...]:
        """The sessions of that id, of any user, two at most: for an event that names a session alone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that could not be applied, with the reason (a word of ours) and all that came.

    `letter_id` follows from what came, so that a repeat is the same letter. `source`, `event_id`, `type` and
    `time` are None where it was not readable as an event. `payload` is JSON, `detail` more of the reason.
    """

    letter_id: str
    reason: str
    detail: str
    received_at: datetime
    payload: dict[str, Any] = field(hash=False)
    source: str | None = None
    event_id: str | None = None
    type: str | None = None
    time: datetime | None = None
    bot_id: str | None = None


class DeadLetters(Protocol):
    """Events that wait for somebody to look at them; they go 30 days after they were received."""

    async def keep_dead_letters(self, *, letters: tuple[DeadLetter, ...]) -> None:
        """Keeps them, all or none. One that waits already gets the new reason; one settled waits again."""
        ...

    async def list_dead_letters(self, *, limit: int, cursor: str | None) -> Page[DeadLetter]:
        """Those that wait, newest first; raises InvalidRequestError for a bad cursor."""
        ...

    async def load_dead_letter(self, *, letter_id: str) -> DeadLetter:
        """The letter that waits; raises DeadLetterNotFoundError."""
        ...

    async def settle_dead_letters(self, *, letter_ids: tuple[str, ...], now: datetime) -> None:
        """They were applied or are given up: they wait no more."""
        ...

    async def dead_letters_of_bot(self, *, bot_id: str, limit: int) -> tuple[DeadLetter, ...]:
        """Those that wait and name the bot, in any order."""
        ...

    async def count_dead_letters(self) -> int:
        """How many wait."""
        ...
