"""Rows of turns and steps, as they are written; the session's row is held by whoever writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.sql.columns import AnyRow, to_micros
from shared.sessions.sql.schema import steps, turns
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert
from shared.turn import Step, Turn, TurnStatus

_THERE = "this step of the turn is there already"

_ADD_TURN = insert(turns)
_ADD_STEPS = insert(steps)
_ADD_STEP = upsert(
    lambda insert: insert(steps).on_conflict_do_nothing(
        index_elements=["user_id", "session_id", "turn_number", "number"]
    )
)
_STORED = (
    select(steps.c.body)
    .where(
        steps.c.user_id == bindparam("user"),
        steps.c.session_id == bindparam("session"),
        steps.c.turn_number == bindparam("turn"),
        steps.c.number >= bindparam("number"),
    )
    .order_by(steps.c.number)
    .limit(bindparam("most"))
)
_BY_NUMBER = (
    turns.c.user_id == bindparam("user"),
    turns.c.session_id == bindparam("session"),
    turns.c.number == bindparam("turn"),
)
_END = update(turns).where(*_BY_NUMBER).values(status=bindparam("new_status"), completed_at=bindparam("now"))
_END_BY_ID = (
    update(turns)
    .where(turns.c.user_id == bindparam("user"), turns.c.turn_id == bindparam("turn"))
    .values(status=bindparam("new_status"), completed_at=bindparam("now"))
)
_RUN = (
    update(turns)
    .where(*_BY_NUMBER)
    .values(status="running", completed_at=None, lease_token=bindparam("token"))
)
_HOW_ENDED = select(turns.c.status, turns.c.completed_at, turns.c.lease_token).where(*_BY_NUMBER)
_PAUSE = update(turns).where(*_BY_NUMBER).values(status="paused")


def add_turn(tx: Tx, turn: Turn, token: int) -> None:
    """Writes the turn with its steps; `token` 0 is a turn that never ran.

    Raises:
        SessionConflictError: the user has a turn of that id.
    """
    key = turn.key
    values = {
        "user_id": key.user_id,
        "session_id": key.session_id,
        "number": turn.number,
        "turn_id": turn.turn_id,
        "request": tx.codec.encode(turn.request, key.user_id),
        "prompt_version": turn.prompt_version,
        "status": turn.status,
        "lease_token": token,
        "created_at": to_micros(turn.created_at),
        "completed_at": None if turn.completed_at is None else to_micros(turn.completed_at),
    }
    try:
        tx.execute(_ADD_TURN, values)
    except IntegrityError as error:
        raise SessionConflictError("there is a turn of this id already") from error
    add_steps(tx, key, turn_number=turn.number, number=0, new=turn.steps, now=turn.step_times[-1])


def add_steps(
    tx: Tx, key: SessionKey, *, turn_number: int, number: int, new: Sequence[Step], now: datetime
) -> None:
    """Writes the steps from `number` on; raises SessionConflictError when one of them is there."""
    place = _place(key, turn_number, to_micros(now))
    values = [
        place | {"number": number + index, "body": tx.codec.encode(step, key.user_id)}
        for index, step in enumerate(new)
    ]
    try:
        tx.execute(_ADD_STEPS, values)
    except IntegrityError as error:
        raise SessionConflictError(_THERE) from error


def add_step(tx: Tx, key: SessionKey, *, turn_number: int, number: int, step: Step, now: datetime) -> bool:
    """Writes one step; False when it is there with the same value.

    Raises:
        SessionConflictError: it is there with another.
    """
    values = _place(key, turn_number, to_micros(now)) | {
        "number": number,
        "body": tx.codec.encode(step, key.user_id),
    }
    if tx.execute(_ADD_STEP(tx), values).rowcount:
        return True
    if has_steps(tx, key, turn_number=turn_number, number=number, wanted=(step,)):
        return False
    raise SessionConflictError(_THERE)


def has_steps(tx: Tx, key: SessionKey, *, turn_number: int, number: int, wanted: Sequence[Step]) -> bool:
    """Whether the turn's steps from `number` on begin with these."""
    rows = tx.execute(_STORED, _ids(key, turn_number) | {"number": number, "most": len(wanted)}).all()
    if len(rows) < len(wanted):
        return False
    codec, user_id = tx.codec, key.user_id
    # In their stored form: what is no JSON number comes back as null.
    return all(
        codec.decode(row.body, user_id) == codec.decode(codec.encode(step, user_id), user_id)
        for row, step in zip(rows, wanted, strict=True)
    )


def end_turn(tx: Tx, key: SessionKey, number: int, status: TurnStatus, now: datetime) -> None:
    """Gives the turn its last status."""
    values = {"new_status": status, "now": to_micros(now)}
    tx.execute(_END, _ids(key, number) | values)


def end_turn_by_id(tx: Tx, user_id: str, turn_id: str, status: TurnStatus, now: datetime) -> None:
    """The same for a turn whose number is not at hand."""
    values = {"user": user_id, "turn": turn_id, "new_status": status, "now": to_micros(now)}
    tx.execute(_END_BY_ID, values)


def run_turn(tx: Tx, key: SessionKey, number: int, token: int) -> None:
    """Marks a turn that goes on, under a new lease."""
    tx.execute(_RUN, _ids(key, number) | {"token": token})


def pause_turn(tx: Tx, key: SessionKey, number: int) -> None:
    """Marks a turn that waits for the user's yes."""
    tx.execute(_PAUSE, _ids(key, number))


def ended_under(tx: Tx, key: SessionKey, number: int) -> AnyRow | None:
    """Status, time of the end and last fencing token of a turn, None when there is none."""
    return tx.execute(_HOW_ENDED, _ids(key, number)).first()


def _place(key: SessionKey, turn_number: int, created_at: int) -> dict[str, Any]:
    return {
        "user_id": key.user_id,
        "session_id": key.session_id,
        "turn_number": turn_number,
        "created_at": created_at,
    }


def _ids(key: SessionKey, number: int) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id, "turn": number}
