"""Events stored in the transaction of their cause, or as their own, and published from there.

An event is visible when it is in `outbox`; until its turn has ended it is in `held_events`, and moves then.

Why a relay passes none over, although transactions commit in another order than they drew their sequence
numbers: it remembers no number. It reads what is not marked as published, so a smaller number that is
committed later is simply the first of its next page. Why events of a session come in order: every write of
an event holds its session's row from before it draws the number until it has committed, so the numbers of one
session are drawn in the order of its commits. Between sessions there is no order to keep.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, delete, func, literal_column, select, update
from sqlalchemy.types import BigInteger

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.outbox_port import OutboxLag, OutgoingEvent, StoredEvent
from shared.sessions.sql.columns import AnyRow, from_micros, optional_time, to_micros
from shared.sessions.sql.prepared import Prepared
from shared.sessions.sql.schema import held_events, outbox, sessions, turns
from shared.sessions.sql.sessions import hold_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

# An event's id is fixed by its cause: a second write of the same cause is the same event.
_ADD = Prepared(
    upsert(lambda insert: insert(outbox).on_conflict_do_nothing(index_elements=["user_id", "event_id"]))
)
_HOLD = Prepared(
    upsert(
        lambda insert: insert(held_events).on_conflict_do_nothing(
            index_elements=["user_id", "session_id", "event_id"]
        )
    )
)
_OF_SESSION = (
    held_events.c.user_id == bindparam("user"),
    held_events.c.session_id == bindparam("session"),
)
_MOVED = ("event_id", "user_id", "session_id", "type", "data", "created_at")


def _let_go(database_insert: Any) -> Insert:
    """The rows come sorted to the insert, and draw their numbers in that order."""
    chosen = (
        select(*(held_events.c[name] for name in _MOVED), bindparam("now", type_=BigInteger))
        .where(*_OF_SESSION)
        .order_by(held_events.c.place)
    )
    new = database_insert(outbox).from_select([*_MOVED, "visible_at"], chosen, include_defaults=False)
    statement: Insert = new.on_conflict_do_nothing(index_elements=["user_id", "event_id"])
    return statement


_LET_GO = upsert(_let_go)
_DROP = delete(held_events).where(*_OF_SESSION)
_IN_SESSION = (sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
_HOLDS = Prepared(update(sessions).where(*_IN_SESSION).values(has_held=True))
_HOLDS_NONE = update(sessions).where(*_IN_SESSION).values(has_held=False)
_TURN_THERE = Prepared(
    select(turns.c.number).where(turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn"))
)
_WAITS = outbox.c.published_at.is_(None)
_UNPUBLISHED = select(outbox).where(_WAITS).order_by(outbox.c.sequence).limit(bindparam("most"))
_PUBLISHED = (
    update(outbox)
    .where(outbox.c.sequence.in_(bindparam("sequences", expanding=True)), _WAITS)
    .values(published_at=bindparam("now"))
)
_LAG = select(
    func.count(literal_column("1")).label("waiting"),
    func.min(func.coalesce(outbox.c.visible_at, outbox.c.created_at)).label("oldest"),
).where(_WAITS)


def add_events(tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
    """Puts the events in the outbox; one that is there already stays as it is. The session's row is held."""
    if events:
        _ADD.run(tx, *_values(tx, key, events, now))


def hold_events(tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
    """Keeps the events for the end of the session's running turn. The session's row is held."""
    if events:
        _HOLD.run(tx, *_values(tx, key, events, now))
        _HOLDS.run(tx, _ids(key))


def let_go_events(tx: Tx, key: SessionKey, now: datetime) -> None:
    """Makes the session's held events visible, in the order they were held."""
    tx.execute(_LET_GO(tx), _ids(key) | {"now": to_micros(now)})
    drop_held_events(tx, key)


def drop_held_events(tx: Tx, key: SessionKey) -> None:
    """Forgets the session's held events."""
    tx.execute(_DROP, _ids(key))
    tx.execute(_HOLDS_NONE, _ids(key))


def check_not_rolled_back(tx: Tx, key: SessionKey, running_turn_id: str | None, turn_id: str | None) -> None:
    """Returns when the turn is there, or none is named; raises SessionConflictError when it was removed."""
    if turn_id is None or turn_id == running_turn_id:
        return
    if _TURN_THERE.first(tx, {"user": key.user_id, "turn": turn_id}) is None:
        raise SessionConflictError("the turn was rolled back: what it did is not kept")


def add_session_events(
    tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime, turn_id: str | None
) -> None:
    """See `EventOutbox.add_events`."""
    running_turn_id = hold_session(tx, key)
    check_not_rolled_back(tx, key, running_turn_id, turn_id)
    if turn_id is not None and turn_id == running_turn_id:
        hold_events(tx, key, events, now)
    else:
        add_events(tx, key, events, now)


def unpublished_events(tx: Tx, limit: int) -> tuple[StoredEvent, ...]:
    """See `EventOutbox.unpublished_events`."""
    return tuple(_stored(tx, row) for row in tx.execute(_UNPUBLISHED, {"most": limit}).all())


def mark_published(tx: Tx, events: tuple[StoredEvent, ...], now: datetime) -> None:
    """See `EventOutbox.mark_published`."""
    if events:
        sequences = [event.sequence for event in events]
        tx.execute(_PUBLISHED, {"sequences": sequences, "now": to_micros(now)})


def outbox_lag(tx: Tx) -> OutboxLag:
    """See `EventOutbox.outbox_lag`."""
    row = tx.execute(_LAG).one()
    return OutboxLag(waiting=row.waiting, oldest=optional_time(row.oldest))


def _stored(tx: Tx, row: AnyRow) -> StoredEvent:
    return StoredEvent(
        sequence=row.sequence,
        key=SessionKey(user_id=row.user_id, session_id=row.session_id),
        event=tx.codec.decode_event(row.data, row.user_id, event_id=row.event_id, type=row.type),
        created_at=from_micros(row.created_at),
    )


def _values(
    tx: Tx, key: SessionKey, events: tuple[OutgoingEvent, ...], now: datetime
) -> list[dict[str, Any]]:
    return [
        {
            "event_id": event.event_id,
            "user_id": key.user_id,
            "session_id": key.session_id,
            "type": event.type,
            "data": tx.codec.encode_event(event, key.user_id),
            "created_at": to_micros(now),
        }
        for event in events
    ]


def _ids(key: SessionKey) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id}
