"""The transactions of `UsageLedger`.

A day's document holds what counts as used, reservations with it from the moment they are made: one that is
never settled needs nobody to count it in full. Settling changes the day by the difference.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.errors import RateLimitedError
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.names import document_id, to_name
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
KEPT = timedelta(days=91)


async def reserve_usage(
    tx: Transaction,
    *,
    user_id: str,
    reservation_id: str,
    charge: Charge,
    limits: DailyLimits,
    now: datetime,
    lease_seconds: float,
) -> None:
    """See `UsageLedger.reserve_usage`."""
    micros = to_micros(now)
    number = micros // _DAY
    reservation, day = await tx.get(_reservation(user_id, reservation_id), _day(user_id, number))
    if reservation.exists:
        return
    used = used_on(day)
    if _passes(limits.tokens, used.tokens, charge.tokens) or _passes(
        limits.micros, used.micros, charge.micros
    ):
        raise RateLimitedError("the day's limit of use is reached", retry_after=_until_next(micros, _DAY))
    _count(day, user_id, number, charge)
    reservation.set(
        user=to_name(user_id),
        day=number,
        tokens=charge.tokens,
        micros=charge.micros,
        settled=False,
        expires_at=now + timedelta(seconds=lease_seconds),
    )


async def settle_usage(tx: Transaction, *, user_id: str, reservation_id: str, charge: Charge) -> None:
    """See `UsageLedger.settle_usage`; a reservation that was tidied away stays counted in full."""
    reservation = await tx.one(_reservation(user_id, reservation_id))
    if not reservation.exists or reservation["settled"]:
        return
    day = await tx.one(_day(user_id, reservation["day"]))
    difference = Charge(
        tokens=charge.tokens - reservation["tokens"], micros=charge.micros - reservation["micros"]
    )
    _count(day, user_id, reservation["day"], difference)
    reservation.set(settled=True)


async def usage_today(tx: Transaction, *, user_id: str, now: datetime) -> Charge:
    """See `UsageLedger.usage_today`."""
    return used_on(await tx.one(_day(user_id, to_micros(now) // _DAY)))


async def take_permit(
    tx: Transaction, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
) -> None:
    """See `UsageLedger.take_permit`; windows begin at multiples of their length since 1970."""
    micros, length = to_micros(now), round(window_seconds * _SECOND)
    ends_at = micros - micros % length + length
    permits = await tx.one(Ref("permits", document_id(user_id, kind, str(length))))
    used = 0
    # The clock of another instance may be ahead of this one's: then its window is the current one.
    if permits.exists and permits["ends_at"] >= ends_at:
        used, ends_at = permits["used"], permits["ends_at"]
    if used >= limit:
        raise RateLimitedError("too many requests in a short time", retry_after=_until_next(micros, length))
    permits.set(user=to_name(user_id), used=used + 1, ends_at=ends_at, expires_at=from_micros(ends_at))


def used_on(day: Document) -> Charge:
    """What counts as used on a day."""
    return Charge(tokens=day["tokens"], micros=day["micros"]) if day.exists else Charge()


def _count(day: Document, user_id: str, number: int, charge: Charge) -> None:
    used = used_on(day)
    day.set(
        user=to_name(user_id),
        tokens=used.tokens + charge.tokens,
        micros=used.micros + charge.micros,
        expires_at=from_micros(number * _DAY) + KEPT,
    )


def _passes(limit: int | None, used: int, charge: int) -> bool:
    return limit is not None and used + charge > limit


def _until_next(micros: int, length: int) -> float:
    return (length - micros % length) / _SECOND


def _reservation(user_id: str, reservation_id: str) -> Ref:
    return Ref("reservations", document_id(user_id, reservation_id))


def _day(user_id: str, number: int) -> Ref:
    return Ref("usage_days", document_id(user_id, str(number)))
