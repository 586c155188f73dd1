"""The transactions that begin a turn, or take one up again."""

from __future__ import annotations

from datetime import datetime

from shared.errors import ApprovalRequiredError, SessionConflictError, TurnInProgressError
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.ends import end_turn, leave_line, roll_back
from shared.sessions.firestore.idempotency import key_ref, repeated_turn, take_key
from shared.sessions.firestore.lines import clear, look, refusal, wait_in_line
from shared.sessions.firestore.sessions import is_live, new_session, session_not_found, session_ref
from shared.sessions.firestore.starts import start_turn
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import (
    fill_turn,
    is_kept,
    turn_not_found,
    turn_of,
    turn_ref,
)
from shared.sessions.port import BegunTurn, NewTurn, TakenTurn
from shared.turn import ApprovalStep, DecisionStep, Turn


async def begin_turn(tx: Transaction, new: NewTurn) -> BegunTurn:
    """See `TurnStore.begin_turn`."""
    refs = [session_ref(new.key), turn_ref(new.key.user_id, new.turn_id)]
    if new.idempotency_key is not None:
        refs.append(key_ref(new.key.user_id, new.idempotency_key))
    session, turn, *keys = await tx.get(*refs)
    for key in keys:
        earlier = await repeated_turn(tx, new, key)
        if earlier is not None:
            return earlier
    if turn.exists:
        raise SessionConflictError("there is a turn of this id already")
    _open_session(tx, session, new)
    waits = await _make_way(tx, session, new)
    for key in keys:
        take_key(key, new)
    fill_turn(tx, turn, new)
    if waits:
        return await wait_in_line(tx, session, turn, new.wait_seconds, new.now)
    return await start_turn(
        tx,
        session,
        turn,
        now=new.now,
        lease_seconds=new.lease_seconds,
        history_messages=new.history_messages,
        known_revision=new.known_revision,
    )


async def take_turn(tx: Transaction, taken: TakenTurn) -> BegunTurn:
    """See `TurnStore.take_turn`."""
    turn = await tx.one(turn_ref(taken.user_id, taken.turn_id))
    if not is_kept(turn):
        raise turn_not_found()
    session = await tx.one(Ref("sessions", turn["session"]))
    if not is_live(session):
        raise turn_not_found()
    await _check_takeable(tx, session, turn, taken)
    if session["running"] not in (None, turn.ref.id):
        # Of another turn, whose lease has run out.
        await clear(tx, session, taken.now)
    leave_line(session, turn)
    return await start_turn(
        tx,
        session,
        turn,
        now=taken.now,
        lease_seconds=taken.lease_seconds,
        history_messages=taken.history_messages,
        step=taken.step,
    )


def _open_session(tx: Transaction, session: Document, new: NewTurn) -> None:
    """Makes the session if there is none, and gives an untitled one its title."""
    if not session.exists:
        new_session(tx, session, key=new.key, title=new.default_title, context={}, now=new.now)
    elif not is_live(session):
        raise session_not_found()
    elif session["untitled"] and new.default_title:
        session.set(title=tx.codec.encode(new.default_title, new.key.user_id), untitled=False)


async def _make_way(tx: Transaction, session: Document, new: NewTurn) -> bool:
    """Whether the new turn has to wait; ends the turn in the way where it is to end."""
    busy = await look(tx, session, new.now)
    if busy and new.if_busy == "reject":
        raise await refusal(tx, busy, new.now)
    await clear(tx, session, new.now)
    if new.if_busy == "wait":
        return bool(busy)
    if busy.running is not None and new.if_busy == "interrupt":
        await end_turn(tx, session, busy.running, "interrupted", new.now)
    elif busy.running is not None:
        await roll_back(tx, session, busy.running, new.now)
    return False


async def _check_takeable(tx: Transaction, session: Document, turn: Document, taken: TakenTurn) -> None:
    """Raises when the turn cannot be taken up, as the port says."""
    busy = await look(tx, session, taken.now)
    runs = busy.running is not None and busy.running.ref == turn.ref
    if turn["status"] in ("completed", "cancelled"):
        raise SessionConflictError("the turn has ended")
    if turn["status"] == "waiting" and any(place["turn"] == turn.ref.id for place in busy.waiting):
        raise TurnInProgressError("the turn waits for another one", turn_id=taken.turn_id)
    if busy.running is not None and not (runs and turn["status"] == "paused"):
        raise await refusal(tx, busy, taken.now)
    if turn["number"] not in (None, session["next_number"] - 1):
        raise SessionConflictError("the session has gone on after this turn")
    if isinstance(taken.step, DecisionStep):
        if not _is_asked(await turn_of(tx, turn), taken.step, taken.now) or turn["status"] != "paused":
            raise SessionConflictError("no answer is awaited for this call")
    elif runs:
        raise ApprovalRequiredError("the turn waits for the user's answer", turn_id=taken.turn_id)


def _is_asked(turn: Turn, decision: DecisionStep, now: datetime) -> bool:
    """Whether the record holds an approval of this call that is open."""
    asked = [
        step
        for step in turn.steps
        if isinstance(step, ApprovalStep | DecisionStep) and step.call_id == decision.call_id
    ]
    last = asked[-1] if asked else None
    return isinstance(last, ApprovalStep) and to_micros(last.expires_at) > to_micros(now)
