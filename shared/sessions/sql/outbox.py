"""Events stored in the transaction of their cause, or as their own."""

from __future__ import annotations

from datetime import datetime

from shared.keys import SessionKey
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import outbox
from shared.sessions.sql.sessions import lock_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

# An event's id is fixed by its cause: a second write of the same cause is the same event.
_ADD = upsert(lambda insert: insert(outbox).on_conflict_do_nothing(index_elements=["user_id", "event_id"]))


def add_events(tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
    """Puts the events in the outbox; one that is there already stays as it is.

    Transactions that hold the session's row get `sequence` numbers in the order they commit.
    """
    if not events:
        return
    values = [
        {
            "event_id": event.event_id,
            "user_id": key.user_id,
            "session_id": key.session_id,
            "type": event.type,
            "data": tx.codec.encode(event.data, key.user_id),
            "created_at": to_micros(now),
        }
        for event in events
    ]
    tx.execute(_ADD(tx), values)


def add_session_events(tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
    """See `EventOutbox.add_events`."""
    lock_session(tx, key)
    add_events(tx, key, events, now)
