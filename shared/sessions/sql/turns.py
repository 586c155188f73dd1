"""The transactions of `TurnStore` that write."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, Update, and_, bindparam, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from shared.errors import SessionConflictError, TurnInProgressError
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import BegunTurn, Lease, NewTurn
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.idempotency import repeated_turn
from shared.sessions.sql.outbox import add_events
from shared.sessions.sql.schema import sessions, steps, turns
from shared.sessions.sql.sessions import COLUMNS, session_not_found, session_of
from shared.sessions.sql.turn_rows import read_history
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert
from shared.turn import FinalStep, Step, Turn, TurnStatus, UserStep

_MAX_RETRY_AFTER = 5.0


def _take_lease(database_insert: Any) -> Insert:
    """Creates the session with its lease taken, or takes the lease of the one there when it is free."""
    new = database_insert(sessions)
    free = or_(
        sessions.c.running_turn_id.is_(None),
        # The new row's time of update is now.
        sessions.c.lease_until <= new.excluded.updated_at,
    )
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id"],
        set_={
            "title": case((sessions.c.untitled, new.excluded.title), else_=sessions.c.title),
            "untitled": and_(sessions.c.untitled, new.excluded.untitled),
            "running_turn_id": new.excluded.running_turn_id,
            "lease_until": new.excluded.lease_until,
            "lease_token": sessions.c.lease_token + 1,
            "next_turn_number": sessions.c.next_turn_number + 1,
            "revision": sessions.c.revision + 1,
            "updated_at": new.excluded.updated_at,
        },
        where=and_(sessions.c.deleted_at.is_(None), free),
    ).returning(*COLUMNS, sessions.c.lease_token, sessions.c.next_turn_number)
    return statement


_TAKE_LEASE = upsert(_take_lease)
_WHY_NOT = select(sessions.c.deleted_at, sessions.c.lease_until).where(
    sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session")
)
_ADD_TURN = insert(turns)
_ADD_STEP = insert(steps)
_HELD = (
    sessions.c.user_id == bindparam("user"),
    sessions.c.session_id == bindparam("session"),
    sessions.c.running_turn_id == bindparam("turn"),
    sessions.c.lease_token == bindparam("token"),
)
_RENEW = update(sessions).where(*_HELD).values(lease_until=bindparam("until"))
_ADVANCE = _RENEW.values(revision=sessions.c.revision + 1)
_RELEASE = (
    update(sessions)
    .where(*_HELD)
    .values(
        running_turn_id=None,
        lease_until=None,
        revision=sessions.c.revision + 1,
        updated_at=bindparam("now"),
    )
)
_END_TURN = (
    update(turns)
    .where(
        turns.c.user_id == bindparam("user"),
        turns.c.session_id == bindparam("session"),
        turns.c.number == bindparam("turn"),
    )
    .values(status=bindparam("new_status"), completed_at=bindparam("now"))
)


def begin_turn(tx: Tx, new: NewTurn) -> BegunTurn:
    """See `TurnStore.begin_turn`."""
    if new.idempotency_key is not None:
        earlier = repeated_turn(tx, new, new.idempotency_key)
        if earlier is not None:
            return earlier
    row = tx.execute(_TAKE_LEASE(tx), _session_values(tx.codec, new)).first()
    if row is None:
        raise _refusal(tx, new)
    number = row.next_turn_number - 1
    turn = _add_turn(tx, new, number, row.lease_token)
    history = read_history(tx, new.key, number, new.history_messages) if number > 1 else ()
    if history and history[-1].status == "running":
        history = (*history[:-1], _interrupt(tx, history[-1], new.now))
    return BegunTurn(
        turn=turn,
        session=session_of(tx.codec, new.key, row),
        lease=Lease(key=new.key, turn_id=new.turn_id, turn_number=number, token=row.lease_token),
        history=history,
    )


def append_step(
    tx: Tx,
    *,
    lease: Lease,
    number: int,
    step: Step,
    now: datetime,
    lease_seconds: float,
    events: tuple[OutgoingEvent, ...],
) -> None:
    """See `TurnStore.append_step`."""
    _fenced(tx, _ADVANCE, lease, until=to_micros(now + timedelta(seconds=lease_seconds)))
    _add_steps(tx, lease, number, (step,), now)
    add_events(tx, lease.key, events, now)


def finish_turn(
    tx: Tx,
    *,
    lease: Lease,
    number: int,
    last: tuple[Step, ...],
    now: datetime,
    events: tuple[OutgoingEvent, ...],
) -> None:
    """See `TurnStore.finish_turn`."""
    final = last[-1]
    assert isinstance(final, FinalStep)
    _fenced(tx, _RELEASE, lease, now=to_micros(now))
    _add_steps(tx, lease, number, last, now)
    _end_turn(tx, lease.key, lease.turn_number, final.status, now)
    add_events(tx, lease.key, events, now)


def renew_lease(tx: Tx, lease: Lease, now: datetime, lease_seconds: float) -> None:
    """See `TurnStore.renew_lease`."""
    _fenced(tx, _RENEW, lease, until=to_micros(now + timedelta(seconds=lease_seconds)))


def _session_values(codec: Codec, new: NewTurn) -> dict[str, Any]:
    now = to_micros(new.now)
    return {
        "user_id": new.key.user_id,
        "session_id": new.key.session_id,
        "title": codec.encode(new.default_title, new.key.user_id),
        "untitled": not new.default_title,
        "context": codec.encode({}, new.key.user_id),
        "revision": 1,
        "created_at": now,
        "updated_at": now,
        "is_active": True,
        "running_turn_id": new.turn_id,
        "lease_until": to_micros(new.now + timedelta(seconds=new.lease_seconds)),
        "lease_token": 1,
        "next_turn_number": 2,
    }


def _refusal(tx: Tx, new: NewTurn) -> Exception:
    values = {"user": new.key.user_id, "session": new.key.session_id}
    row = tx.execute(_WHY_NOT, values).one()
    if row.deleted_at is not None:
        return session_not_found()
    left = ((row.lease_until or 0) - to_micros(new.now)) / 1_000_000
    return TurnInProgressError(
        "a turn is running in this session", retry_after=min(max(left, 1.0), _MAX_RETRY_AFTER)
    )


def _add_turn(tx: Tx, new: NewTurn, number: int, token: int) -> Turn:
    now = to_micros(new.now)
    place = {"user_id": new.key.user_id, "session_id": new.key.session_id}
    values = {
        "number": number,
        "turn_id": new.turn_id,
        "request": tx.codec.encode(new.request, new.key.user_id),
        "prompt_version": new.prompt_version,
        "status": "running",
        "lease_token": token,
        "created_at": now,
    }
    step = UserStep(text=new.request.message, context=new.request.context)
    first = {
        "turn_number": number,
        "number": 0,
        "body": tx.codec.encode(step, new.key.user_id),
        "created_at": now,
    }
    try:
        tx.execute(_ADD_TURN, place | values)
    except IntegrityError as error:
        raise SessionConflictError("there is a turn of this id already") from error
    tx.execute(_ADD_STEP, place | first)
    return Turn(
        key=new.key,
        turn_id=new.turn_id,
        number=number,
        request=new.request,
        prompt_version=new.prompt_version,
        status="running",
        created_at=new.now,
        steps=(step,),
        step_times=(new.now,),
    )


def _interrupt(tx: Tx, turn: Turn, now: datetime) -> Turn:
    _end_turn(tx, turn.key, turn.number, "interrupted", now)
    return replace(turn, status="interrupted", completed_at=now)


def _end_turn(tx: Tx, key: SessionKey, number: int, status: TurnStatus, now: datetime) -> None:
    values = {
        "user": key.user_id,
        "session": key.session_id,
        "turn": number,
        "new_status": status,
        "now": to_micros(now),
    }
    tx.execute(_END_TURN, values)


def _fenced(tx: Tx, statement: Update, lease: Lease, **values: int) -> None:
    """Changes the session on condition that the lease still holds, and keeps its row until the end."""
    held = {
        "user": lease.key.user_id,
        "session": lease.key.session_id,
        "turn": lease.turn_id,
        "token": lease.token,
    }
    if tx.execute(statement, held | values).rowcount == 0:
        raise SessionConflictError("the turn has ended, or another one has taken its lease")


def _add_steps(tx: Tx, lease: Lease, number: int, new: tuple[Step, ...], now: datetime) -> None:
    at = to_micros(now)
    values = [
        {
            "user_id": lease.key.user_id,
            "session_id": lease.key.session_id,
            "turn_number": lease.turn_number,
            "number": number + index,
            "body": tx.codec.encode(step, lease.key.user_id),
            "created_at": at,
        }
        for index, step in enumerate(new)
    ]
    try:
        tx.execute(_ADD_STEP, values)
    except IntegrityError as error:
        raise SessionConflictError("this step of the turn is there already") from error
