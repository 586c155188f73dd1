"""The line of a session: turns that wait, each at a place, which is a row of `waiting_turns`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.sql.columns import AnyRow, from_micros, to_micros
from shared.sessions.sql.lease_rows import ids, next_number, until
from shared.sessions.sql.schema import sessions, turns, waiting_turns
from shared.sessions.sql.turn_writes import add_turn
from shared.sessions.sql.tx import Tx
from shared.sessions.turn_port import NewTurn
from shared.turn import Turn, TurnStatus, UserStep

_IN_LINE = (
    waiting_turns.c.user_id == bindparam("user"),
    waiting_turns.c.session_id == bindparam("session"),
)
_LINE = select(waiting_turns).where(*_IN_LINE).order_by(waiting_turns.c.place)
_JOIN = insert(waiting_turns)
_LEAVE = delete(waiting_turns).where(*_IN_LINE, waiting_turns.c.place == bindparam("this_place"))
_LEAVE_ALL = delete(waiting_turns).where(*_IN_LINE)
_RENEW = (
    update(waiting_turns)
    .where(*_IN_LINE, waiting_turns.c.turn_id.in_(bindparam("turn_ids", expanding=True)))
    .values(kept_until=bindparam("until"))
)
_THIS_SESSION = (sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
_TAKE_PLACE = (
    update(sessions)
    .where(*_THIS_SESSION)
    .values(
        next_place=sessions.c.next_place + 1,
        has_line=True,
        revision=sessions.c.revision + 1,
        updated_at=bindparam("now"),
    )
    .returning(sessions.c.next_place)
)
_LOOK_AGAIN = (
    update(sessions)
    .where(*_THIS_SESSION)
    .values(
        has_line=exists().where(
            waiting_turns.c.user_id == sessions.c.user_id,
            waiting_turns.c.session_id == sessions.c.session_id,
        )
    )
)
_BY_ID = (
    select(waiting_turns)
    .join(
        sessions,
        (sessions.c.user_id == waiting_turns.c.user_id)
        & (sessions.c.session_id == waiting_turns.c.session_id)
        & sessions.c.deleted_at.is_(None),
    )
    .where(waiting_turns.c.user_id == bindparam("user"), waiting_turns.c.turn_id == bindparam("turn"))
)
_HAS_NUMBER = select(turns.c.number).where(
    turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn")
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a session's line, kept until then in microseconds, and the turn that waits there."""

    number: int
    kept_until: int
    turn: Turn

    def is_kept(self, now: datetime) -> bool:
        """Whether somebody still waits for the turn."""
        return self.kept_until > to_micros(now)


def read_line(tx: Tx, key: SessionKey) -> tuple[Place, ...]:
    """The places of a session's line, the first first."""
    return tuple(_place(tx, row) for row in tx.execute(_LINE, ids(key)).all())


def join_line(tx: Tx, new: NewTurn) -> Turn:
    """Gives the turn the last place; raises SessionConflictError when the user has a turn of that id."""
    turn = Turn(
        key=new.key,
        turn_id=new.turn_id,
        number=0,
        request=new.request,
        prompt_version=new.prompt_version,
        status="waiting",
        created_at=new.now,
    )
    there = SessionConflictError("there is a turn of this id already")
    if tx.execute(_HAS_NUMBER, {"user": new.key.user_id, "turn": new.turn_id}).first() is not None:
        raise there
    now = to_micros(new.now)
    place = tx.execute(_TAKE_PLACE, ids(new.key) | {"now": now}).scalar_one() - 1
    values = {
        "user_id": new.key.user_id,
        "session_id": new.key.session_id,
        "place": place,
        "turn_id": new.turn_id,
        "request": tx.codec.encode(new.request, new.key.user_id),
        "prompt_version": new.prompt_version,
        "created_at": now,
        "kept_until": until(new.now, new.wait_seconds),
    }
    try:
        tx.execute(_JOIN, values)
    except IntegrityError as error:
        raise there from error
    return turn


def leave_line(tx: Tx, key: SessionKey, place: Place) -> None:
    """Removes the place; the turn's own row is written by the caller."""
    tx.execute(_LEAVE, ids(key) | {"this_place": place.number})
    tx.execute(_LOOK_AGAIN, ids(key))


def clear_line(tx: Tx, key: SessionKey) -> None:
    """Removes all places."""
    tx.execute(_LEAVE_ALL, ids(key))
    tx.execute(_LOOK_AGAIN, ids(key))


def renew_places(tx: Tx, key: SessionKey, turn_ids: Sequence[str], kept_until: int) -> None:
    """Keeps those places for longer."""
    tx.execute(_RENEW, ids(key) | {"turn_ids": list(turn_ids), "until": kept_until})


def end_waiting(tx: Tx, place: Place, status: TurnStatus, now: datetime) -> Turn:
    """Ends a turn that never ran: it gets its number, its step 0 and that status."""
    leave_line(tx, place.turn.key, place)
    number = next_number(tx, place.turn.key)
    ended = replace(numbered(place.turn, number, now), status=status, completed_at=now)
    add_turn(tx, ended, 0)
    return ended


def end_abandoned(tx: Tx, line: Sequence[Place], now: datetime) -> tuple[Place, ...]:
    """Marks turns `interrupted` whose places have run out; the rest of the line."""
    for place in line:
        if not place.is_kept(now):
            end_waiting(tx, place, "interrupted", now)
    return tuple(place for place in line if place.is_kept(now))


def numbered(turn: Turn, number: int, now: datetime) -> Turn:
    """A waiting turn as it begins: with its number and step 0."""
    step = UserStep(text=turn.request.message, context=turn.request.context)
    return replace(turn, number=number, status="running", steps=(step,), step_times=(now,))


def find_waiting(tx: Tx, user_id: str, turn_id: str, now: datetime) -> Turn | None:
    """A turn that waits, `interrupted` when its place has run out."""
    row = tx.execute(_BY_ID, {"user": user_id, "turn": turn_id}).first()
    if row is None:
        return None
    place = _place(tx, row)
    return place.turn if place.is_kept(now) else replace(place.turn, status="interrupted")


def _place(tx: Tx, row: AnyRow) -> Place:
    turn = Turn(
        key=SessionKey(user_id=row.user_id, session_id=row.session_id),
        turn_id=row.turn_id,
        number=0,
        request=tx.codec.decode_request(row.request, row.user_id),
        prompt_version=row.prompt_version,
        status="waiting",
        created_at=from_micros(row.created_at),
    )
    return Place(number=row.place, kept_until=row.kept_until, turn=turn)
