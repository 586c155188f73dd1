"""Turns whose leases ran out and that nobody asks about: ended as interrupted, their held events let go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, bindparam, select

from shared.errors import SessionNotFoundError
from shared.keys import SessionKey
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.endings import interrupt_running
from shared.sessions.sql.lease_rows import is_held, lock_state, touch
from shared.sessions.sql.schema import sessions
from shared.sessions.sql.tx import Tx

_DEAD = (
    select(sessions.c.user_id, sessions.c.session_id)
    .where(
        sessions.c.running_turn_id.is_not(None),
        sessions.c.lease_until <= bindparam("now"),
        sessions.c.deleted_at.is_(None),
    )
    .order_by(sessions.c.lease_until)
    .limit(bindparam("most", type_=Integer))
)


def sessions_of_dead_turns(tx: Tx, now: datetime, limit: int) -> tuple[SessionKey, ...]:
    """Sessions that a turn holds under a lease which has run out, the longest dead first."""
    rows = tx.execute(_DEAD, {"now": to_micros(now), "most": limit})
    return tuple(SessionKey(user_id=row.user_id, session_id=row.session_id) for row in rows)


def interrupt_dead_turn(tx: Tx, key: SessionKey, now: datetime) -> bool:
    """Ends the session's turn if it is dead still; False when somebody was quicker."""
    try:
        state = lock_state(tx, key)
    except SessionNotFoundError:
        return False
    if state.running_turn_id is None or is_held(state, now):
        return False
    interrupt_running(tx, key, state, now)
    touch(tx, key, now)
    return True
