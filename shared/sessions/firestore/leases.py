"""The transactions of `NamedLeases`: a document a name."""

from __future__ import annotations

from datetime import datetime

from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.names import document_id, to_name
from shared.sessions.firestore.times import from_micros, later, to_micros
from shared.sessions.firestore.transaction import Transaction


async def take_named_lease(tx: Transaction, *, name: str, holder: str, now: datetime, seconds: float) -> bool:
    """See `NamedLeases.take_named_lease`."""
    lease = await tx.one(_ref(name))
    if lease.exists and lease["holder"] != to_name(holder) and lease["until"] > to_micros(now):
        return False
    until = later(now, seconds)
    lease.set(holder=to_name(holder), until=until, expires_at=from_micros(until))
    return True


async def drop_named_lease(tx: Transaction, *, name: str, holder: str) -> None:
    """See `NamedLeases.drop_named_lease`."""
    lease = await tx.one(_ref(name))
    if lease.exists and lease["holder"] == to_name(holder):
        lease.delete()


def _ref(name: str) -> Ref:
    return Ref("leases", document_id(name))
