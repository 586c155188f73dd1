"""The transaction of `TurnStore.take_turn`: a turn that was left, or waits for a yes, goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select

from shared.errors import (
    ApprovalRequiredError,
    SessionConflictError,
    TurnInProgressError,
    TurnNotFoundError,
)
from shared.keys import SessionKey
from shared.sessions.sql.begun import begun_again, begun_turn
from shared.sessions.sql.columns import AnyRow
from shared.sessions.sql.endings import interrupt_running, lock_turn
from shared.sessions.sql.lease_rows import ids, is_held, take_again, take_next, until
from shared.sessions.sql.line_rows import leave_line, numbered, read_line
from shared.sessions.sql.schema import turns
from shared.sessions.sql.turn_rows import find_turn
from shared.sessions.sql.turn_writes import add_step, add_turn, run_turn
from shared.sessions.sql.tx import Tx
from shared.sessions.turn_port import BegunTurn, TakenTurn
from shared.turn import ApprovalStep, DecisionStep, Turn

_LATER = (
    select(turns.c.number)
    .where(
        turns.c.user_id == bindparam("user"),
        turns.c.session_id == bindparam("session"),
        turns.c.number > bindparam("turn"),
        # One that ended while it waited has changed nothing.
        turns.c.lease_token > 0,
    )
    .limit(1)
)


def take_turn(tx: Tx, taken: TakenTurn) -> BegunTurn:
    """See `TurnStore.take_turn`."""
    key, state = lock_turn(tx, taken.user_id, taken.turn_id)
    if state.taking_id == taken.taking_id and state.running_turn_id == taken.turn_id:
        return begun_again(tx, key, state, taken.now, history_messages=taken.history_messages)
    turn = find_turn(tx, taken.user_id, taken.turn_id, taken.now)
    if turn is None:
        return _take_waiting(tx, key, state, taken)
    _check(tx, turn, state, taken)
    _make_room(tx, key, state, taken)
    row = take_again(
        tx,
        key,
        turn_id=turn.turn_id,
        taking_id=taken.taking_id,
        lease_until=until(taken.now, taken.lease_seconds),
        now=taken.now,
    )
    run_turn(tx, key, turn.number, row.lease_token)
    number = len(turn.steps)
    add_step(tx, key, turn_number=turn.number, number=number, step=taken.step, now=taken.now)
    going_on = replace(_with_step(turn, taken), status="running", completed_at=None)
    return _begun(tx, going_on, row, state, taken)


def _take_waiting(tx: Tx, key: SessionKey, state: AnyRow, taken: TakenTurn) -> BegunTurn:
    place = next((each for each in read_line(tx, key) if each.turn.turn_id == taken.turn_id), None)
    if place is None:
        raise TurnNotFoundError("there is no such turn")
    if isinstance(taken.step, DecisionStep):
        raise _no_approval()
    if place.is_kept(taken.now):
        raise TurnInProgressError("the turn waits in line", retry_after=1, turn_id=taken.turn_id)
    _check_free(state, taken.now)
    _make_room(tx, key, state, taken)
    leave_line(tx, key, place)
    row = take_next(
        tx,
        key,
        turn_id=taken.turn_id,
        taking_id=taken.taking_id,
        lease_until=until(taken.now, taken.lease_seconds),
        now=taken.now,
    )
    turn = _with_step(numbered(place.turn, row.next_turn_number - 1, taken.now), taken)
    add_turn(tx, turn, row.lease_token)
    return _begun(tx, turn, row, state, taken)


def _begun(tx: Tx, turn: Turn, row: AnyRow, before: AnyRow, taken: TakenTurn) -> BegunTurn:
    return begun_turn(tx, turn, row, base_revision=before.revision, history_messages=taken.history_messages)


def _check(tx: Tx, turn: Turn, state: AnyRow, taken: TakenTurn) -> None:
    """Returns when the turn may go on with that step."""
    if turn.status in ("completed", "cancelled"):
        raise SessionConflictError("the turn has ended", turn_id=turn.turn_id)
    if turn.status == "paused":
        if not isinstance(taken.step, DecisionStep):
            raise ApprovalRequiredError("the turn waits for the user's answer", turn_id=turn.turn_id)
        if not _is_asked(turn, taken.step.call_id, taken.now):
            raise _no_approval()
        return
    _check_free(state, taken.now)
    if isinstance(taken.step, DecisionStep):
        raise _no_approval()
    if tx.execute(_LATER, ids(turn.key) | {"turn": turn.number}).first() is not None:
        raise SessionConflictError("the session has gone on after this turn", turn_id=turn.turn_id)


def _check_free(state: AnyRow, now: datetime) -> None:
    if is_held(state, now):
        raise TurnInProgressError(
            "a turn is running in this session", retry_after=1, turn_id=state.running_turn_id
        )


def _is_asked(turn: Turn, call_id: str, now: datetime) -> bool:
    """Whether the last that was said about the call is a question that may still be answered."""
    said = [
        step
        for step in turn.steps
        if isinstance(step, ApprovalStep | DecisionStep) and step.call_id == call_id
    ]
    return bool(said) and isinstance(said[-1], ApprovalStep) and said[-1].expires_at > now


def _make_room(tx: Tx, key: SessionKey, state: AnyRow, taken: TakenTurn) -> None:
    """Marks another turn whose lease has run out."""
    if state.running_turn_id not in (None, taken.turn_id):
        interrupt_running(tx, key, state, taken.now)


def _with_step(turn: Turn, taken: TakenTurn) -> Turn:
    return replace(turn, steps=(*turn.steps, taken.step), step_times=(*turn.step_times, taken.now))


def _no_approval() -> SessionConflictError:
    return SessionConflictError("no answer is awaited for this call")
