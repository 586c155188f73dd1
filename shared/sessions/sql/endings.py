"""Ends of turns that come from outside: interrupted, stopped, deleted with their session, rolled back."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, delete, select, update

from shared.errors import SessionNotFoundError, TurnNotFoundError
from shared.keys import SessionKey
from shared.session import title_of
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.sql.artifacts import remove_versions
from shared.sessions.sql.columns import AnyRow, to_micros
from shared.sessions.sql.lease_rows import free_session, ids, lock_state, touch
from shared.sessions.sql.line_rows import clear_line, end_waiting, read_line
from shared.sessions.sql.outbox import add_events, drop_held_events, let_go_events
from shared.sessions.sql.schema import sessions, turns, waiting_turns
from shared.sessions.sql.turn_rows import find_turn, load_turn
from shared.sessions.sql.turn_writes import end_turn_by_id
from shared.sessions.sql.tx import Tx
from shared.turn import Turn, TurnStatus

_WHERE_IS = select(turns.c.session_id).where(
    turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn")
)
_WHERE_WAITS = select(waiting_turns.c.session_id).where(
    waiting_turns.c.user_id == bindparam("user"), waiting_turns.c.turn_id == bindparam("turn")
)
_REMOVE = delete(turns).where(turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn"))
_OTHERS = (
    select(turns.c.number)
    .where(turns.c.user_id == bindparam("user"), turns.c.session_id == bindparam("session"))
    .limit(1)
)
_THIS = (sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
_UNTITLE = update(sessions).where(*_THIS).values(untitled=True)
_DELETE = (
    update(sessions)
    .where(*_THIS)
    .values(
        deleted_at=bindparam("now"),
        lease_token=sessions.c.lease_token + 1,
        revision=sessions.c.revision + 1,
        updated_at=bindparam("now"),
    )
)
_DELETED_AT = select(sessions.c.deleted_at).where(*_THIS)


def interrupt_running(
    tx: Tx, key: SessionKey, state: AnyRow, now: datetime, status: TurnStatus = "interrupted"
) -> None:
    """Ends the turn that holds the session's lease, keeping its record, and lets go its events."""
    end_turn_by_id(tx, key.user_id, state.running_turn_id, status, now)
    if state.has_held:
        let_go_events(tx, key, now)
    free_session(tx, key)


def roll_back_running(tx: Tx, key: SessionKey, state: AnyRow, now: datetime) -> None:
    """Removes the turn that holds the session's lease with all it did here, also the title it gave."""
    turn = find_turn(tx, key.user_id, state.running_turn_id, now)
    drop_held_events(tx, key)
    remove_versions(tx, key, state.running_turn_id)
    tx.execute(_REMOVE, {"user": key.user_id, "turn": state.running_turn_id})
    free_session(tx, key)
    if turn is None or tx.execute(_OTHERS, ids(key)).first() is not None:
        return
    if tx.codec.decode(state.title, key.user_id) == title_of(turn.request.message):
        tx.execute(_UNTITLE, ids(key))


def stop_turn(
    tx: Tx,
    *,
    user_id: str,
    turn_id: str,
    status: Literal["cancelled", "interrupted"],
    now: datetime,
    events: tuple[OutgoingEvent, ...],
) -> Turn:
    """See `TurnStore.stop_turn`."""
    key, state = lock_turn(tx, user_id, turn_id)
    if state.running_turn_id == turn_id:
        interrupt_running(tx, key, state, now, status)
        touch(tx, key, now)
        add_events(tx, key, events, now)
    elif state.has_line:
        for place in read_line(tx, key):
            if place.turn.turn_id == turn_id:
                end_waiting(tx, place, status, now)
                touch(tx, key, now)
                add_events(tx, key, events, now)
    return load_turn(tx, user_id, turn_id, now)


def lock_turn(tx: Tx, user_id: str, turn_id: str) -> tuple[SessionKey, AnyRow]:
    """Holds the row of the turn's session, and gives it; raises TurnNotFoundError."""
    values = {"user": user_id, "turn": turn_id}
    for find in (_WHERE_IS, _WHERE_WAITS, _WHERE_IS):
        # A turn that left the line between two looks is found by the third.
        session_id = tx.execute(find, values).scalar()
        if session_id is None:
            continue
        key = SessionKey(user_id=user_id, session_id=session_id)
        try:
            return key, lock_state(tx, key)
        except SessionNotFoundError:
            break
    raise TurnNotFoundError("there is no such turn")


def delete_session(tx: Tx, key: SessionKey, now: datetime) -> None:
    """See `SessionStore.delete_session`; its running, paused and waiting turns are stopped."""
    try:
        state = lock_state(tx, key)
    except SessionNotFoundError:
        if tx.execute(_DELETED_AT, ids(key)).scalar() == to_micros(now):
            return
        raise
    if state.running_turn_id is not None:
        interrupt_running(tx, key, state, now)
    if state.has_line:
        clear_line(tx, key)
    tx.execute(_DELETE, ids(key) | {"now": to_micros(now)})
