"""The transactions that begin a turn, or take one up again."""

from __future__ import annotations

from shared.errors import ApprovalRequiredError, SessionConflictError, TurnInProgressError
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.ends import end_turn, leave_line, roll_back
from shared.sessions.firestore.history import read_turn
from shared.sessions.firestore.idempotency import key_ref, repeated_turn, take_key
from shared.sessions.firestore.lines import clear, look, refusal, wait_in_line
from shared.sessions.firestore.names import from_name, to_name
from shared.sessions.firestore.sessions import (
    is_live,
    new_session,
    revision_of,
    running_turn,
    session_not_found,
    session_of,
    session_ref,
)
from shared.sessions.firestore.starts import runs_already, start_turn, started_before
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import (
    fill_turn,
    is_kept,
    turn_not_found,
    turn_of,
    turn_ref,
)
from shared.sessions.turn_port import BegunTurn, NewTurn, TakenTurn
from shared.turn import ApprovalStep, DecisionStep, Turn


async def begin_turn(tx: Transaction, new: NewTurn) -> BegunTurn:
    """See `TurnStore.begin_turn`."""
    refs = [session_ref(new.key), turn_ref(new.key.user_id, new.turn_id)]
    if new.idempotency_key is not None:
        refs.append(key_ref(new.key.user_id, new.idempotency_key))
    session, turn, *keys = await tx.get(*refs)
    if turn.exists:
        named = any(key.exists and key["turn_id"] == to_name(new.turn_id) for key in keys)
        return await _begin_again(tx, session, turn, new, named=named)
    for key in keys:
        earlier = await repeated_turn(tx, new, key)
        if earlier is not None:
            return earlier
    if not session.exists:
        new_session(tx, session, key=new.key, title="", context={}, now=new.now)
    elif not is_live(session):
        raise session_not_found()
    # A turn that this write ends is in no history that the caller can know.
    known_revision = None if session["running"] or session["line"] else new.known_revision
    waits = await _make_way(tx, session, new)
    for key in keys:
        take_key(key, new)
    fill_turn(tx, turn, new)
    if waits:
        return await wait_in_line(tx, session, turn, new.wait_seconds, new.now)
    if session["untitled"] and new.default_title:
        title = checked(tx.codec.encode(new.default_title, new.key.user_id))
        session.set(title=title, untitled=False)
    return await start_turn(
        tx,
        session,
        turn,
        now=new.now,
        lease_seconds=new.lease_seconds,
        history_messages=new.history_messages,
        known_revision=known_revision,
    )


async def take_turn(tx: Transaction, taken: TakenTurn) -> BegunTurn:
    """See `TurnStore.take_turn`."""
    turn = await tx.one(turn_ref(taken.user_id, taken.turn_id))
    if not is_kept(turn):
        raise turn_not_found()
    session = await tx.one(Ref("sessions", turn["session"]))
    if not is_live(session):
        raise turn_not_found()
    if turn["taking"] == taken.taking_id and session["running"] == turn.ref.id:
        return await started_before(tx, session, turn, history_messages=taken.history_messages)
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
        taking=taken.taking_id,
    )


async def _begin_again(
    tx: Transaction, session: Document, turn: Document, new: NewTurn, *, named: bool
) -> BegunTurn:
    """What the first `begin_turn` of this turn gave, if it runs or waits still.

    Else the turn as it is, when its idempotency key names it.

    Raises:
        SessionConflictError: the user has another turn of this id.
        TurnNotFoundError: it was rolled back.
    """
    has_it = session["running"] == turn.ref.id if session.exists else False
    waits = has_it or turn.get("status") == "waiting"
    if turn["session"] != session.ref.id or not (named or waits):
        raise SessionConflictError("there is a turn of this id already")
    if not is_live(session):
        raise session_not_found()
    if not is_kept(turn):
        raise turn_not_found()
    if runs_already(session, turn, new.now):
        return await started_before(
            tx,
            session,
            turn,
            history_messages=new.history_messages,
            known_revision=new.known_revision,
        )
    running = await running_turn(tx, session)
    return BegunTurn(
        turn=await read_turn(tx, turn, session, new.now),
        session=session_of(tx, new.key, session, running),
        lease=None,
        base_revision=revision_of(session, running) - 1,
    )


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
    is_decision = isinstance(taken.step, DecisionStep)
    if turn["status"] in ("completed", "cancelled"):
        raise SessionConflictError("the turn has ended", turn_id=taken.turn_id)
    if busy.running is turn and turn["status"] == "paused":
        if not is_decision:
            raise ApprovalRequiredError("the turn waits for the user's answer", turn_id=taken.turn_id)
        if not _is_asked(await turn_of(tx, turn), taken):
            raise _no_approval()
        return
    waits = any(place["turn"] == turn.ref.id for place in busy.waiting)
    if busy.running is not None or waits:
        in_the_way = turn if busy.running is None else busy.running
        raise TurnInProgressError(
            "a turn is running in this session",
            retry_after=1.0,
            turn_id=from_name(in_the_way["turn_id"]),
        )
    if is_decision:
        raise _no_approval()
    # One that ended while it waited has a higher number, and has changed nothing.
    if 0 < turn["number"] < session["last_ran"]:
        raise SessionConflictError("the session has gone on after this turn", turn_id=taken.turn_id)


def _is_asked(turn: Turn, taken: TakenTurn) -> bool:
    """Whether the last that was said about the call is a question that may still be answered."""
    assert isinstance(taken.step, DecisionStep)
    said = [
        step
        for step in turn.steps
        if isinstance(step, ApprovalStep | DecisionStep) and step.call_id == taken.step.call_id
    ]
    last = said[-1] if said else None
    return isinstance(last, ApprovalStep) and last.expires_at > taken.now


def _no_approval() -> SessionConflictError:
    return SessionConflictError("no answer is awaited for this call")
