"""What `Store.tidy` removes: records whose time is over, found by index, a bounded number in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Delete, bindparam, delete, select, tuple_

from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import (
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


@dataclass(frozen=True, slots=True)
class Expired:
    """The records of one table whose `column` is at most what `since` says of the present moment."""

    column: Column[int]
    since: Callable[[datetime], int]

    def statement(self) -> Delete:
        """Removes the oldest of them; those that another transaction holds are left for later."""
        key = tuple(self.column.table.primary_key)
        is_over = self.column <= bindparam("since")
        oldest = (
            select(*key)
            .where(is_over)
            .order_by(self.column)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
        return delete(self.column.table).where(tuple_(*key).in_(oldest), is_over)


EXPIRED = (
    Expired(idempotency.c.expires_at, to_micros),
    Expired(permits.c.ends_at, to_micros),
    Expired(usage_reservations.c.lease_until, to_micros),
    Expired(named_leases.c.lease_until, to_micros),
    Expired(tool_calls.c.started_at, lambda now: to_micros(now - _TOOL_CALLS_KEPT)),
    Expired(outbox.c.published_at, lambda now: to_micros(now - _EVENTS_KEPT)),
    Expired(usage_days.c.day, lambda now: to_micros(now - _USAGE_KEPT) // DAY),
)
_STATEMENTS = {expired: expired.statement() for expired in EXPIRED}


def remove_expired(tx: Tx, expired: Expired, now: datetime, limit: int) -> int:
    """How many records of that table it removed, the oldest first and at most `limit`."""
    return tx.execute(_STATEMENTS[expired], {"since": expired.since(now), "most": limit}).rowcount
