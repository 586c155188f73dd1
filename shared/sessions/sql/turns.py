"""The transactions of `TurnStore` that write."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Insert,
    LargeBinary,
    Update,
    and_,
    bindparam,
    case,
    or_,
    select,
    tuple_,
    update,
)

from shared.errors import SessionConflictError
from shared.session import Summary
from shared.sessions.codec import Codec
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.sql.begun import begun_turn
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.idempotency import repeated_turn
from shared.sessions.sql.lease_rows import BEGUN, ids, until
from shared.sessions.sql.outbox import add_events, hold_events, let_go_events
from shared.sessions.sql.schema import sessions
from shared.sessions.sql.turn_writes import (
    add_step,
    add_steps,
    add_turn,
    end_turn,
    end_turn_by_id,
    ended_under,
    has_steps,
    pause_turn,
)
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert
from shared.sessions.sql.waiting import begin_busy
from shared.sessions.turn_port import BegunTurn, Lease, NewTurn
from shared.turn import FinalStep, Step, Turn, UserStep


def _take_lease(database_insert: Any) -> Insert:
    """Creates the session with its lease taken, or takes the lease of the one there when it is free."""
    new = database_insert(sessions)
    free = and_(
        sessions.c.deleted_at.is_(None),
        sessions.c.has_line.is_(False),
        or_(
            sessions.c.running_turn_id.is_(None),
            # The new row's time of update is now.
            sessions.c.lease_until <= new.excluded.updated_at,
        ),
    )
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id"],
        set_={
            "title": case((sessions.c.untitled, new.excluded.title), else_=sessions.c.title),
            "untitled": and_(sessions.c.untitled, new.excluded.untitled),
            "lost_turn_id": sessions.c.running_turn_id,
            "running_turn_id": new.excluded.running_turn_id,
            "taking_id": None,
            "paused": False,
            "lease_until": new.excluded.lease_until,
            "lease_token": sessions.c.lease_token + 1,
            "next_turn_number": sessions.c.next_turn_number + 1,
            "revision": sessions.c.revision + 1,
            "updated_at": new.excluded.updated_at,
        },
        where=free,
    ).returning(*BEGUN)
    return statement


_TAKE_LEASE = upsert(_take_lease)
_HELD = (
    sessions.c.user_id == bindparam("user"),
    sessions.c.session_id == bindparam("session"),
    sessions.c.running_turn_id == bindparam("turn"),
    sessions.c.lease_token == bindparam("token"),
)
_RUNNING = (*_HELD, sessions.c.paused.is_(False))
_RENEW = update(sessions).where(*_RUNNING).values(lease_until=bindparam("until"))
_ADVANCE = _RENEW.values(revision=sessions.c.revision + 1)
_PAUSE = (
    update(sessions)
    .where(*_HELD)
    .values(lease_until=bindparam("until"), paused=True, revision=sessions.c.revision + 1)
)
_NOT_AGAIN = (
    update(sessions)
    .where(sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
    .values(revision=sessions.c.revision - 1)
)
_RELEASE = (
    update(sessions)
    .where(*_RUNNING)
    .values(
        running_turn_id=None,
        lease_until=None,
        taking_id=None,
        revision=sessions.c.revision + 1,
        updated_at=bindparam("now"),
    )
    .returning(sessions.c.has_held)
)
_REACHES_FURTHER = sessions.c.summary_through < bindparam("through", type_=BigInteger)
_SUMMARISE = (
    update(sessions)
    .where(*_RUNNING)
    .values(
        summary=case((_REACHES_FURTHER, bindparam("body", type_=LargeBinary)), else_=sessions.c.summary),
        summary_through=case(
            (_REACHES_FURTHER, bindparam("through", type_=BigInteger)), else_=sessions.c.summary_through
        ),
        revision=sessions.c.revision + case((_REACHES_FURTHER, 1), else_=0),
    )
)
_LEASES = select(
    sessions.c.user_id, sessions.c.session_id, sessions.c.running_turn_id, sessions.c.lease_token
).where(tuple_(sessions.c.user_id, sessions.c.session_id).in_(bindparam("places", expanding=True)))
_LOST = "the turn has ended, or another one has taken its lease"


def begin_turn(tx: Tx, new: NewTurn) -> BegunTurn:
    """See `TurnStore.begin_turn`."""
    if new.idempotency_key is not None:
        earlier = repeated_turn(tx, new, new.idempotency_key)
        if earlier is not None:
            return earlier
    row = tx.execute(_TAKE_LEASE(tx), _session_values(tx.codec, new)).first()
    if row is None:
        return begin_busy(tx, new)
    turn = Turn(
        key=new.key,
        turn_id=new.turn_id,
        number=row.next_turn_number - 1,
        request=new.request,
        prompt_version=new.prompt_version,
        status="running",
        created_at=new.now,
        steps=(UserStep(text=new.request.message, context=new.request.context),),
        step_times=(new.now,),
    )
    add_turn(tx, turn, row.lease_token)
    if row.lost_turn_id is not None:
        end_turn_by_id(tx, new.key.user_id, row.lost_turn_id, "interrupted", new.now)
        if row.has_held:
            let_go_events(tx, new.key, new.now)
    return begun_turn(
        tx,
        turn,
        row,
        base_revision=row.revision - 1,
        history_messages=new.history_messages,
        known_revision=new.known_revision if row.lost_turn_id is None else None,
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
    pause_until: datetime | None,
) -> None:
    """See `TurnStore.append_step`."""
    if pause_until is None:
        _fenced(tx, _ADVANCE, lease, until=until(now, lease_seconds))
    else:
        _fenced(tx, _PAUSE, lease, until=to_micros(pause_until))
        pause_turn(tx, lease.key, lease.turn_number)
    if add_step(tx, lease.key, turn_number=lease.turn_number, number=number, step=step, now=now):
        hold_events(tx, lease.key, events, now)
    else:
        tx.execute(_NOT_AGAIN, ids(lease.key))


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
    row = tx.execute(_RELEASE, _lease_ids(lease) | {"now": to_micros(now)}).first()
    if row is None:
        if _has_finished(tx, lease, (final.status, to_micros(now), lease.token), number, last):
            return
        raise SessionConflictError(_LOST)
    add_steps(tx, lease.key, turn_number=lease.turn_number, number=number, new=last, now=now)
    end_turn(tx, lease.key, lease.turn_number, final.status, now)
    if row.has_held:
        let_go_events(tx, lease.key, now)
    add_events(tx, lease.key, events, now)


def save_summary(tx: Tx, *, lease: Lease, summary: Summary) -> None:
    """See `TurnStore.save_summary`."""
    body = tx.codec.encode(summary, lease.key.user_id)
    _fenced(tx, _SUMMARISE, lease, body=body, through=summary.through)


def lost_leases(tx: Tx, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
    """See `TurnStore.lost_leases`."""
    if not leases:
        return ()
    places = [(lease.key.user_id, lease.key.session_id) for lease in leases]
    rows = tx.execute(_LEASES, {"places": places}).all()
    held = {(row.user_id, row.session_id, row.running_turn_id, row.lease_token) for row in rows}
    return tuple(
        lease
        for lease in leases
        if (lease.key.user_id, lease.key.session_id, lease.turn_id, lease.token) not in held
    )


def renew_lease(tx: Tx, lease: Lease, now: datetime, lease_seconds: float) -> None:
    """See `TurnStore.renew_lease`."""
    _fenced(tx, _RENEW, lease, until=until(now, lease_seconds))


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
        "lease_until": until(new.now, new.lease_seconds),
        "lease_token": 1,
        "next_turn_number": 2,
    }


def _has_finished(
    tx: Tx, lease: Lease, how: tuple[str, int, int], number: int, last: tuple[Step, ...]
) -> bool:
    """Whether the turn has these last steps, and ended in that status, then, under that token."""
    ended = ended_under(tx, lease.key, lease.turn_number)
    if ended is None or tuple(ended) != how:
        return False
    return has_steps(tx, lease.key, turn_number=lease.turn_number, number=number, wanted=last)


def _fenced(tx: Tx, statement: Update, lease: Lease, **values: Any) -> None:
    """Changes the session on condition that the lease still holds, and keeps its row until the end."""
    if tx.execute(statement, _lease_ids(lease) | values).rowcount == 0:
        raise SessionConflictError(_LOST)


def _lease_ids(lease: Lease) -> dict[str, Any]:
    return ids(lease.key) | {"turn": lease.turn_id, "token": lease.token}
