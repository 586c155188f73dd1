"""What the domain asks of the store about users and processes: usage, permits, secrets, named leases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Tokens, and money in millionths of the currency that the prices are set in."""

    tokens: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLimits:
    """What a user may use in a day of UTC; None is no limit."""

    tokens: int | None = None
    micros: int | None = None


class UsageLedger(Protocol):
    """What each user used today, counted across instances: reserved before a model call, settled after it."""

    async def reserve_usage(
        self,
        *,
        user_id: str,
        reservation_id: str,
        charge: Charge,
        limits: DailyLimits,
        now: datetime,
        lease_seconds: float,
    ) -> None:
        """Sets aside the most that a model call can cost; it counts as used until settled or run out.

        A reservation that is never settled (its process died) counts as used in full once `lease_seconds`
        are over: what was paid is not known.

        Raises:
            RateLimitedError: used, reserved and this together would pass a limit; retry_after is the time to
                the next day. Nothing was reserved.
        """
        ...

    async def settle_usage(self, *, user_id: str, reservation_id: str, charge: Charge, now: datetime) -> None:
        """Replaces a reservation by what was used, on the day it was made; later calls change nothing."""
        ...

    async def usage_today(self, *, user_id: str, now: datetime) -> Charge:
        """What counts as used today, reservations with it."""
        ...

    async def take_permit(
        self, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
    ) -> None:
        """Counts one use of a kind in the user's current window of that length.

        Raises:
            RateLimitedError: `limit` uses were counted in it already; retry_after is the time to its end.
        """
        ...


class UserSecrets(Protocol):
    """Secrets that users entrust to us, by name; stored encrypted."""

    async def save_user_secret(self, *, user_id: str, name: str, value: str, now: datetime) -> None:
        """Stores or replaces it."""
        ...

    async def load_user_secret(self, *, user_id: str, name: str) -> str | None:
        """The secret, None when there is none."""
        ...

    async def delete_user_secret(self, *, user_id: str, name: str) -> None:
        """Removes it; nothing happens when there is none."""
        ...


class NamedLeases(Protocol):
    """Leases for work that one process at a time may do, such as publishing the outbox."""

    async def take_named_lease(self, *, name: str, holder: str, now: datetime, seconds: float) -> bool:
        """Takes or renews it for that long; False while another holder has it."""
        ...

    async def drop_named_lease(self, *, name: str, holder: str) -> None:
        """Frees it; nothing happens when another has it."""
        ...
