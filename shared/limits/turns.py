"""Whether a user may begin a turn now: turns a minute, and a day's budget that is not used up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from shared.clock import Clock
from shared.errors import RateLimitedError
from shared.sessions.account_port import Charge, DailyLimits

WINDOW_SECONDS = 60.0
KIND = "turn"


class Permits(Protocol):
    """What counts uses in a window: the store's ledger, or Redis."""

    async def take_permit(
        self, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
    ) -> None:
        """See UsageLedger."""
        ...


class DaysUse(Protocol):
    """What knows the use of a day: the store's ledger."""

    async def usage_today(self, *, user_id: str, now: datetime) -> Charge:
        """See UsageLedger."""
        ...


class TurnLimits:
    """Asked before each turn. Without limits it asks nobody."""

    def __init__(
        self,
        *,
        permits: Permits,
        usage: DaysUse,
        turns_per_minute: int | None,
        daily: DailyLimits | None,
        pays_self: Callable[[str], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """`daily` None: no budget. `pays_self` tells whom the budget does not concern."""
        self._permits = permits
        self._usage = usage
        self._turns_per_minute = turns_per_minute
        self._daily = daily
        self._pays_self = pays_self
        self._clock = clock

    async def admit(self, user_id: str, *, is_repeat: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Counts a turn that is about to begin.

        `is_repeat` tells whether the request repeats one whose turn exists, which is never refused; it is
        asked only when the turn would be.

        Raises:
            RateLimitedError: too many turns this minute, or the day's budget is used up.
            StoreUnavailableError: it cannot be counted now.
        """
        try:
            await self._admit(user_id)
        except RateLimitedError:
            if is_repeat is None or not await is_repeat():
                raise

    async def _admit(self, user_id: str) -> None:
        now = self._clock()
        if self._turns_per_minute is not None:
            await self._permits.take_permit(
                user_id=user_id,
                kind=KIND,
                limit=self._turns_per_minute,
                window_seconds=WINDOW_SECONDS,
                now=now,
            )
        if self._daily is None or await self._pays_self(user_id):
            return
        used = await self._usage.usage_today(user_id=user_id, now=now)
        if _is_used_up(used.tokens, self._daily.tokens) or _is_used_up(used.micros, self._daily.micros):
            raise RateLimitedError("your budget for today is used up", retry_after=rest_of_day(now))


def rest_of_day(now: datetime) -> float:
    """Seconds until the day of UTC ends, when budgets are whole again."""
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (tomorrow - now).total_seconds()


def _is_used_up(used: int, limit: int | None) -> bool:
    return limit is not None and used >= limit
