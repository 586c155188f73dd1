"""The transactions of turns that meet a busy session: `begin_turn` there, and `claim_waiting`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.errors import AppError, ApprovalRequiredError, TurnInProgressError
from shared.keys import SessionKey
from shared.sessions.sql.begun import begun_again, begun_turn, runs_already
from shared.sessions.sql.columns import AnyRow, to_micros
from shared.sessions.sql.endings import interrupt_running, roll_back_running
from shared.sessions.sql.lease_rows import is_held, lock_state, take_next, touch, until
from shared.sessions.sql.line_rows import (
    Place,
    end_abandoned,
    join_line,
    leave_line,
    numbered,
    read_line,
    renew_places,
)
from shared.sessions.sql.sessions import load_session
from shared.sessions.sql.turn_rows import load_turn
from shared.sessions.sql.turn_writes import add_turn
from shared.sessions.sql.tx import Tx
from shared.sessions.turn_port import BegunTurn, NewTurn
from shared.turn import Turn

_MAX_RETRY_AFTER = 5.0


def begin_busy(tx: Tx, new: NewTurn) -> BegunTurn:
    """`begin_turn` in a session whose lease is taken or where turns wait, or which was deleted."""
    state = lock_state(tx, new.key)
    line = read_line(tx, new.key) if state.has_line else ()
    if state.running_turn_id == new.turn_id or any(place.turn.turn_id == new.turn_id for place in line):
        return begin_again(tx, new, state)
    held = is_held(state, new.now)
    kept = [place for place in line if place.is_kept(new.now)]
    if new.if_busy == "reject" and (held or kept):
        raise _refusal(state, kept, new.now)
    if state.running_turn_id is not None and not held:
        interrupt_running(tx, new.key, state, new.now)
    end_abandoned(tx, line, new.now)
    if new.if_busy == "wait" and (held or kept):
        turn = join_line(tx, new)
        return _without_lease(tx, turn, state.revision)
    if held and new.if_busy == "rollback":
        roll_back_running(tx, new.key, state, new.now)
    elif held:
        interrupt_running(tx, new.key, state, new.now)
    turn = Turn(
        key=new.key,
        turn_id=new.turn_id,
        number=0,
        request=new.request,
        prompt_version=new.prompt_version,
        status="waiting",
        created_at=new.now,
    )
    lease_until = until(new.now, new.lease_seconds)
    begun, row = _begin_next(tx, turn, lease_until, new.now, title=new.default_title)
    return begun_turn(tx, begun, row, base_revision=state.revision, history_messages=new.history_messages)


def begin_again(tx: Tx, new: NewTurn, state: AnyRow | None = None) -> BegunTurn:
    """What the first `begin_turn` of this turn gave, if it runs or waits still; else the turn as it is."""
    state = state or lock_state(tx, new.key)
    if runs_already(state, new.turn_id, new.now):
        return begun_again(
            tx,
            new.key,
            state,
            new.now,
            history_messages=new.history_messages,
            known_revision=new.known_revision,
        )
    turn = load_turn(tx, new.key.user_id, new.turn_id, new.now)
    return _without_lease(tx, turn, state.revision - 1)


def claim_waiting(
    tx: Tx,
    *,
    key: SessionKey,
    turn_ids: tuple[str, ...],
    now: datetime,
    lease_seconds: float,
    wait_seconds: float,
    history_messages: int,
) -> BegunTurn | None:
    """See `TurnStore.claim_waiting`."""
    state = lock_state(tx, key)
    if any(runs_already(state, turn_id, now) for turn_id in turn_ids):
        return begun_again(tx, key, state, now, history_messages=history_messages)
    if not state.has_line:
        return None
    renew_places(tx, key, turn_ids, until(now, wait_seconds))
    if is_held(state, now):
        return None
    if state.running_turn_id is not None:
        interrupt_running(tx, key, state, now)
    before = read_line(tx, key)
    line = end_abandoned(tx, before, now)
    if not line or line[0].turn.turn_id not in turn_ids:
        if state.running_turn_id is not None or len(line) < len(before):
            touch(tx, key, now)
        return None
    leave_line(tx, key, line[0])
    begun, row = _begin_next(tx, line[0].turn, until(now, lease_seconds), now)
    return begun_turn(tx, begun, row, base_revision=state.revision, history_messages=history_messages)


def _begin_next(tx: Tx, turn: Turn, lease_until: int, now: datetime, title: str = "") -> tuple[Turn, AnyRow]:
    row = take_next(tx, turn.key, turn_id=turn.turn_id, lease_until=lease_until, now=now, title=title)
    begun = numbered(turn, row.next_turn_number - 1, now)
    add_turn(tx, begun, row.lease_token)
    return begun, row


def _without_lease(tx: Tx, turn: Turn, base_revision: int) -> BegunTurn:
    session = load_session(tx, turn.key)
    return BegunTurn(turn=turn, session=session, lease=None, base_revision=base_revision)


def _refusal(state: AnyRow, kept: Sequence[Place], now: datetime) -> AppError:
    if not is_held(state, now):
        return TurnInProgressError(
            "a turn waits in this session", retry_after=1.0, turn_id=kept[0].turn.turn_id
        )
    turn_id = state.running_turn_id
    if state.paused:
        return ApprovalRequiredError("a turn of this session waits for the user's answer", turn_id=turn_id)
    left = (state.lease_until - to_micros(now)) / 1_000_000
    retry_after = min(max(left, 1.0), _MAX_RETRY_AFTER)
    return TurnInProgressError("a turn is running in this session", retry_after=retry_after, turn_id=turn_id)
