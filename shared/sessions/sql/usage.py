"""The transactions of `UsageLedger`.

A day's row holds what counts as used, reservations with it from the moment they are made: one that is never
settled needs nobody to count it in full. Settling changes the row by the difference.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, bindparam, case, or_, select, update

from shared.errors import RateLimitedError
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import permits, usage_days, usage_reservations
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

SECOND = 1_000_000
DAY = 86_400 * SECOND

_NO_LIMIT = 2**63 - 1


def _count(database_insert: Any) -> Insert:
    """Adds to the day's row where there is room for it; the row's lock lets reservations in one by one."""
    new = database_insert(usage_days)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "day"],
        set_={
            "tokens": usage_days.c.tokens + new.excluded.tokens,
            "micros": usage_days.c.micros + new.excluded.micros,
        },
        where=(usage_days.c.tokens <= bindparam("room_tokens"))
        & (usage_days.c.micros <= bindparam("room_micros")),
    ).returning(usage_days.c.day)
    return statement


def _permit(database_insert: Any) -> Insert:
    new = database_insert(permits)
    # The clock of another instance may be ahead of this one's: then its window is the current one.
    is_past = permits.c.ends_at < new.excluded.ends_at
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "kind", "length"],
        set_={
            "used": case((is_past, 1), else_=permits.c.used + 1),
            "ends_at": case((is_past, new.excluded.ends_at), else_=permits.c.ends_at),
        },
        where=or_(is_past, permits.c.used < bindparam("most")),
    ).returning(permits.c.used)
    return statement


_RESERVE = upsert(
    lambda insert: (
        insert(usage_reservations)
        .on_conflict_do_nothing(index_elements=["user_id", "reservation_id"])
        .returning(usage_reservations.c.day)
    )
)
_COUNT = upsert(_count)
_SETTLE = (
    update(usage_reservations)
    .where(
        usage_reservations.c.user_id == bindparam("user"),
        usage_reservations.c.reservation_id == bindparam("reservation"),
        usage_reservations.c.settled.is_(False),
    )
    .values(settled=True)
    .returning(usage_reservations.c.day, usage_reservations.c.tokens, usage_reservations.c.micros)
)
_DAY = (usage_days.c.user_id == bindparam("user"), usage_days.c.day == bindparam("this_day"))
_CORRECT = (
    update(usage_days)
    .where(*_DAY)
    .values(
        tokens=usage_days.c.tokens + bindparam("more_tokens"),
        micros=usage_days.c.micros + bindparam("more_micros"),
    )
)
_USED = select(usage_days.c.tokens, usage_days.c.micros).where(*_DAY)
_PERMIT = upsert(_permit)


def reserve_usage(
    tx: Tx,
    *,
    user_id: str,
    reservation_id: str,
    charge: Charge,
    limits: DailyLimits,
    now: datetime,
    lease_seconds: float,
) -> None:
    """See `UsageLedger.reserve_usage`; raising takes the reservation's own row back too."""
    micros = to_micros(now)
    cost = {"user_id": user_id, "day": micros // DAY, "tokens": charge.tokens, "micros": charge.micros}
    reservation = {
        "reservation_id": reservation_id,
        "settled": False,
        "lease_until": to_micros(now + timedelta(seconds=lease_seconds)),
    }
    if tx.execute(_RESERVE(tx), cost | reservation).first() is None:
        return
    room_tokens = _room(limits.tokens, charge.tokens)
    room_micros = _room(limits.micros, charge.micros)
    room = {"room_tokens": room_tokens, "room_micros": room_micros}
    fits_a_day = room_tokens >= 0 and room_micros >= 0
    if not fits_a_day or tx.execute(_COUNT(tx), cost | room).first() is None:
        raise RateLimitedError("the day's limit of use is reached", retry_after=_until_next(micros, DAY))


def settle_usage(tx: Tx, *, user_id: str, reservation_id: str, charge: Charge) -> None:
    """See `UsageLedger.settle_usage`; a reservation that was tidied away stays counted in full."""
    row = tx.execute(_SETTLE, {"user": user_id, "reservation": reservation_id}).first()
    if row is None:
        return
    values = {
        "user": user_id,
        "this_day": row.day,
        "more_tokens": charge.tokens - row.tokens,
        "more_micros": charge.micros - row.micros,
    }
    tx.execute(_CORRECT, values)


def usage_today(tx: Tx, *, user_id: str, now: datetime) -> Charge:
    """See `UsageLedger.usage_today`."""
    row = tx.execute(_USED, {"user": user_id, "this_day": to_micros(now) // DAY}).first()
    return Charge() if row is None else Charge(tokens=row.tokens, micros=row.micros)


def take_permit(tx: Tx, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime) -> None:
    """See `UsageLedger.take_permit`.

    Windows begin at multiples of their length since 1970. A use has no id: one that is repeated, as the
    answer to its commit was lost, counts twice, which errs on the safe side.
    """
    micros, length = to_micros(now), round(window_seconds * SECOND)
    values = {
        "user_id": user_id,
        "kind": kind,
        "length": length,
        "ends_at": micros - micros % length + length,
        "used": 1,
        "most": limit,
    }
    if limit < 1 or tx.execute(_PERMIT(tx), values).first() is None:
        raise RateLimitedError("too many requests in a short time", retry_after=_until_next(micros, length))


def _room(limit: int | None, cost: int) -> int:
    """The most that may be used already."""
    return (_NO_LIMIT if limit is None else limit) - cost


def _until_next(micros: int, length: int) -> float:
    return (length - micros % length) / SECOND
