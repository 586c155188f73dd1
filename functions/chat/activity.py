"""Whether a session is active: something happened within SESSION_TIMEOUT_MINUTES, or a turn is under way.

It is worked out when a session is read. Nothing is written when the time is over, and the next message makes
the session active again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.turn_port import TurnStore
from shared.settings import Settings
from shared.turn import UNFINISHED

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRule:
    """`idle` closes a session, unless a turn of it is under way, which none is after `longest`."""

    idle: timedelta
    longest: timedelta

    @classmethod
    def of(cls, settings: Settings) -> ActivityRule:
        """The rule by the settings: a turn runs for its timeout, or waits for the user's yes."""
        turn = timedelta(seconds=settings.turn_timeout, hours=settings.approval_hours)
        return cls(idle=timedelta(minutes=settings.session_timeout_minutes), longest=turn)

    async def active(
        self, store: TurnStore, sessions: Sequence[Session], now: datetime
    ) -> frozenset[SessionKey]:
        """Those of the sessions that are active at that time.

        Only sessions that look idle, and not for so long that no turn of theirs can be under way, cost a
        read of their newest turn.
        """
        recent = {session.key for session in sessions if now - session.updated_at < self.idle}
        doubtful = [
            session.key
            for session in sessions
            if session.key not in recent and now - session.updated_at <= self.idle + self.longest
        ]
        places = asyncio.Semaphore(_AT_ONCE)

        async def is_under_way(key: SessionKey) -> bool:
            async with places:
                return await _has_unfinished_turn(store, key)

        found = await asyncio.gather(*map(is_under_way, doubtful))
        busy = {key for key, under_way in zip(doubtful, found, strict=True) if under_way}
        return frozenset(recent | busy)


async def _has_unfinished_turn(store: TurnStore, key: SessionKey) -> bool:
    try:
        page = await store.list_turns(key=key, limit=1, cursor=None)
    except SessionNotFoundError:
        return False
    return any(turn.status in UNFINISHED for turn in page.items)
