"""What `Store.tidy` removes: records whose time is over, found by index, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, bindparam, delete, select

from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import (
    bot_events,
    dead_letters,
    idempotency,
    named_leases,
    outbox,
    permits,
    tool_calls,
    usage_days,
    usage_reservations,
)
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.usage import DAY

_TOOL_CALLS_KEPT = timedelta(hours=24)
_EVENTS_KEPT = timedelta(days=7)
_USAGE_KEPT = timedelta(days=91)
_RECEIVED_KEPT = timedelta(days=30)


class Expired:
    """The records of one table whose `column` is at most what `since` makes of the present moment."""

    def __init__(self, column: Column[int], since: Callable[[datetime], int]) -> None:
        self.column = column
        self._since = since
        key = tuple(column.table.primary_key)
        self._names = tuple(f"this_{part.name}" for part in key)
        # What another transaction holds is left for later.
        self.oldest = (
            select(*key)
            .where(column <= bindparam("since"))
            .order_by(column)
            .limit(bindparam("most", type_=Integer))
            .with_for_update(skip_locked=True)
        )
        # By their keys, one by one: Postgres may read a whole table for one DELETE with the SELECT inside.
        self._delete = delete(column.table).where(
            *(part == bindparam(name) for part, name in zip(key, self._names, strict=True))
        )

    def remove(self, tx: Tx, now: datetime, limit: int) -> int:
        """How many of them it removed, the oldest first and at most `limit`."""
        rows = tx.execute(self.oldest, {"since": self._since(now), "most": limit}).all()
        if rows:
            tx.execute(self._delete, [dict(zip(self._names, row, strict=True)) for row in rows])
        return len(rows)


EXPIRED = (
    Expired(idempotency.c.expires_at, to_micros),
    Expired(permits.c.ends_at, to_micros),
    Expired(usage_reservations.c.lease_until, to_micros),
    Expired(named_leases.c.lease_until, to_micros),
    Expired(tool_calls.c.started_at, lambda now: to_micros(now - _TOOL_CALLS_KEPT)),
    Expired(outbox.c.published_at, lambda now: to_micros(now - _EVENTS_KEPT)),
    Expired(bot_events.c.received_at, lambda now: to_micros(now - _RECEIVED_KEPT)),
    Expired(dead_letters.c.received_at, lambda now: to_micros(now - _RECEIVED_KEPT)),
    Expired(usage_days.c.day, lambda now: to_micros(now - _USAGE_KEPT) // DAY),
)
