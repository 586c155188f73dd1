"""The transactions of `NamedLeases`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, bindparam, delete, or_

from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import named_leases
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert


def _take(database_insert: Any) -> Insert:
    new = database_insert(named_leases)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": new.excluded.holder, "lease_until": new.excluded.lease_until},
        where=or_(
            named_leases.c.holder == new.excluded.holder, named_leases.c.lease_until <= bindparam("moment")
        ),
    ).returning(named_leases.c.name)
    return statement


_TAKE = upsert(_take)
_DROP = delete(named_leases).where(
    named_leases.c.name == bindparam("lease_name"), named_leases.c.holder == bindparam("lease_holder")
)


def take_named_lease(tx: Tx, *, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """See `NamedLeases.take_named_lease`."""
    values = {
        "name": name,
        "holder": holder,
        "lease_until": to_micros(now + timedelta(seconds=seconds)),
        "moment": to_micros(now),
    }
    return tx.execute(_TAKE(tx), values).first() is not None


def drop_named_lease(tx: Tx, *, name: str, holder: str) -> None:
    """See `NamedLeases.drop_named_lease`."""
    tx.execute(_DROP, {"lease_name": name, "lease_holder": holder})
