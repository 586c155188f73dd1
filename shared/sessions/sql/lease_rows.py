"""A session's row as the writes of its turns need it: who holds the lease, whether others wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, select, update

from shared.keys import SessionKey
from shared.sessions.sql.columns import AnyRow, to_micros
from shared.sessions.sql.schema import sessions
from shared.sessions.sql.sessions import COLUMNS, is_session, session_not_found
from shared.sessions.sql.tx import Tx

# What a turn that has just got the lease needs of the row, and what the row tells before that.
BEGUN = (
    *COLUMNS,
    sessions.c.lease_token,
    sessions.c.next_turn_number,
    sessions.c.has_held,
    sessions.c.lost_turn_id,
    sessions.c.summary,
    sessions.c.summary_through,
)
_STATE = (
    *BEGUN,
    sessions.c.running_turn_id,
    sessions.c.lease_until,
    sessions.c.paused,
    sessions.c.has_line,
    sessions.c.taking_id,
)
_THIS = is_session(bindparam("user"), bindparam("session"))
_LOCK = select(*_STATE).where(*_THIS).with_for_update(key_share=True)
_CHANGED = {"revision": sessions.c.revision + 1, "updated_at": bindparam("now")}
_FREE = (
    update(sessions)
    .where(*_THIS)
    .values(running_turn_id=None, lease_until=None, paused=False, taking_id=None)
)
_TOUCH = update(sessions).where(*_THIS).values(**_CHANGED)
_TAKE = (
    update(sessions)
    .where(*_THIS)
    .values(
        running_turn_id=bindparam("turn"),
        lease_until=bindparam("until"),
        lease_token=sessions.c.lease_token + 1,
        paused=False,
        lost_turn_id=None,
        taking_id=bindparam("taking"),
        **_CHANGED,
    )
    .returning(*BEGUN)
)
_TAKE_NEXT = _TAKE.values(
    next_turn_number=sessions.c.next_turn_number + 1,
    title=case((sessions.c.untitled, bindparam("new_title")), else_=sessions.c.title),
    untitled=and_(sessions.c.untitled, bindparam("new_untitled")),
)
_NUMBER = (
    update(sessions)
    .where(*_THIS)
    .values(next_turn_number=sessions.c.next_turn_number + 1)
    .returning(sessions.c.next_turn_number)
)


def ids(key: SessionKey) -> dict[str, Any]:
    """The parameters that name the session."""
    return {"user": key.user_id, "session": key.session_id}


def until(now: datetime, seconds: float) -> int:
    """When a lease taken now runs out."""
    return to_micros(now + timedelta(seconds=seconds))


def lock_state(tx: Tx, key: SessionKey) -> AnyRow:
    """Holds the session's row until the transaction ends, and gives it with all that is known of its turns.

    Raises:
        SessionNotFoundError: there is none, or it was deleted.
    """
    row = tx.execute(_LOCK, ids(key)).first()
    if row is None:
        raise session_not_found()
    return row


def is_held(row: AnyRow, now: datetime) -> bool:
    """Whether a turn runs or pauses in the session under a lease that has not run out."""
    return row.running_turn_id is not None and row.lease_until > to_micros(now)


def free_session(tx: Tx, key: SessionKey) -> None:
    """Takes the lease from whoever has it. The revision is the caller's to move on, once a write."""
    tx.execute(_FREE, ids(key))


def touch(tx: Tx, key: SessionKey, now: datetime) -> None:
    """Moves the session's revision on."""
    tx.execute(_TOUCH, ids(key) | {"now": to_micros(now)})


def take_again(
    tx: Tx, key: SessionKey, *, turn_id: str, taking_id: str, lease_until: int, now: datetime
) -> AnyRow:
    """Gives the lease to a turn that has its number; the row after it."""
    values = {"turn": turn_id, "until": lease_until, "taking": taking_id, "now": to_micros(now)}
    return tx.execute(_TAKE, ids(key) | values).one()


def take_next(
    tx: Tx,
    key: SessionKey,
    *,
    turn_id: str,
    lease_until: int,
    now: datetime,
    taking_id: str | None = None,
    title: str = "",
) -> AnyRow:
    """Gives the lease and the next number to a turn; the row after it. An untitled session gets the title."""
    values = {
        "turn": turn_id,
        "until": lease_until,
        "taking": taking_id,
        "now": to_micros(now),
        "new_title": tx.codec.encode(title, key.user_id),
        "new_untitled": not title,
    }
    return tx.execute(_TAKE_NEXT, ids(key) | values).one()


def next_number(tx: Tx, key: SessionKey) -> int:
    """A number for a turn that ends before it ran."""
    number: int = tx.execute(_NUMBER, ids(key)).scalar_one() - 1
    return number
