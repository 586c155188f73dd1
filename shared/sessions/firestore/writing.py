"""The transactions of a running turn's owner, each fenced by its lease.

They read the turn as this process last wrote it: a step costs one call, the commit, as long as no other had
to do with the turn.
"""

from __future__ import annotations

from datetime import datetime

from shared.errors import SessionConflictError
from shared.session import Summary
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.names import session_id
from shared.sessions.firestore.outbox import hold_events, put_events, release_events
from shared.sessions.firestore.sessions import revision_of, session_ref, touch
from shared.sessions.firestore.times import later, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import add_steps, has_steps, turn_ref
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.turn_port import Lease
from shared.turn import FinalStep, Step


async def append_step(
    tx: Transaction,
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
    turn = await tx.one(turn_ref(lease.key.user_id, lease.turn_id), kept=True)
    _check_lease(turn, lease, pauses=pause_until is not None)
    if number < turn["count"] and await has_steps(tx, turn, number, (step,)):
        return
    add_steps(tx, turn, number, (step,), now)
    hold_events(tx, turn, events, now)
    if pause_until is None:
        turn.set(until=later(now, lease_seconds))
    else:
        turn.set(status="paused", until=to_micros(pause_until))


async def finish_turn(
    tx: Transaction,
    *,
    lease: Lease,
    number: int,
    steps: tuple[Step, ...],
    now: datetime,
    events: tuple[OutgoingEvent, ...],
) -> None:
    """See `TurnStore.finish_turn`."""
    final = steps[-1]
    assert isinstance(final, FinalStep)
    turn, session = await tx.get(
        turn_ref(lease.key.user_id, lease.turn_id), session_ref(lease.key), kept=True
    )
    if _has_ended(turn, lease, final, now) and await has_steps(tx, turn, number, steps):
        return
    _check_lease(turn, lease)
    revision = revision_of(session, turn)
    add_steps(tx, turn, number, steps, now)
    await release_events(tx, session, turn, now)
    await put_events(tx, session, events, now)
    turn.set(status=final.status, completed_at=to_micros(now), begun_with=turn["count"])
    session.set(running=None, revision=revision)
    touch(session, now)


async def renew_lease(tx: Transaction, *, lease: Lease, now: datetime, lease_seconds: float) -> None:
    """See `TurnStore.renew_lease`."""
    turn = await tx.one(turn_ref(lease.key.user_id, lease.turn_id), kept=True)
    _check_lease(turn, lease)
    turn.set(until=later(now, lease_seconds))


async def save_summary(tx: Transaction, *, lease: Lease, summary: Summary) -> None:
    """See `TurnStore.save_summary`; one that reaches no further than the session's changes nothing."""
    turn, session = await tx.get(
        turn_ref(lease.key.user_id, lease.turn_id), session_ref(lease.key), kept=True
    )
    _check_lease(turn, lease)
    if summary.through > session["summary_through"]:
        session.set(
            summary=checked(tx.codec.encode(summary, lease.key.user_id)),
            summary_through=summary.through,
            revision=session["revision"] + 1,
        )


async def lost_leases(tx: Transaction, leases: tuple[Lease, ...]) -> tuple[Lease, ...]:
    """See `TurnStore.lost_leases`."""
    turns = await tx.get(*(turn_ref(lease.key.user_id, lease.turn_id) for lease in leases))
    return tuple(
        lease for lease, turn in zip(leases, turns, strict=True) if not _holds(turn, lease, pauses=True)
    )


def _holds(turn: Document, lease: Lease, *, pauses: bool) -> bool:
    held = ("running", "paused") if pauses else ("running",)
    return (
        turn.exists
        and turn["status"] in held
        and turn["token"] == lease.token
        and turn["session"] == session_id(lease.key)
    )


def _has_ended(turn: Document, lease: Lease, final: FinalStep, now: datetime) -> bool:
    """Whether the turn ended under this lease, so and then."""
    return (
        turn.exists
        and turn["session"] == session_id(lease.key)
        and (turn["token"], turn["status"], turn["completed_at"])
        == (lease.token, final.status, to_micros(now))
    )


def _check_lease(turn: Document, lease: Lease, *, pauses: bool = False) -> None:
    if not _holds(turn, lease, pauses=pauses):
        raise SessionConflictError("the turn has ended, or another one has taken its lease")
