"""Who has the session: the turn that runs, and those that wait in line, kept in the session's document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import ApprovalRequiredError, ConflictError, TurnInProgressError
from shared.keys import SessionKey
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.ends import end_turn, leave_line, number_turn
from shared.sessions.firestore.names import from_name
from shared.sessions.firestore.sessions import live_session, revision_of, running_turn, session_of, touch
from shared.sessions.firestore.starts import runs_already, start_turn, started_before
from shared.sessions.firestore.times import later, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import turn_of, turn_ref
from shared.sessions.turn_port import BegunTurn

_MAX_RETRY_AFTER = 5.0
# Each is a write of the same commit, which takes 500.
_MARKED_AT_ONCE = 100


@dataclass(slots=True)
class Busy:
    """What is in a session's way: a turn with a lease that holds, turns with places that hold."""

    running: Document | None
    waiting: list[dict[str, Any]]

    def __bool__(self) -> bool:
        return self.running is not None or bool(self.waiting)


async def look(tx: Transaction, session: Document, now: datetime) -> Busy:
    """Who has the session."""
    micros = to_micros(now)
    running = await running_turn(tx, session)
    if running is not None and running["until"] <= micros:
        running = None
    return Busy(running=running, waiting=[each for each in session["line"] if each["until"] > micros])


async def clear(tx: Transaction, session: Document, now: datetime) -> None:
    """Marks the turns whose lease or place has run out, so that they are in nobody's way."""
    micros = to_micros(now)
    running = await running_turn(tx, session)
    if running is not None and running["until"] <= micros:
        await end_turn(tx, session, running, "interrupted", now)
    lapsed = [each["turn"] for each in session["line"] if each["until"] <= micros][:_MARKED_AT_ONCE]
    if lapsed:
        turns = await tx.get(*(Ref("turns", turn) for turn in lapsed))
        for turn in turns:
            if turn.exists and turn["status"] == "waiting":
                number_turn(tx, session, turn, now)
                turn.set(status="interrupted", completed_at=to_micros(now), begun_with=turn["count"])
        leave_line(session, *turns)


async def refusal(tx: Transaction, busy: Busy, now: datetime) -> ConflictError:
    """Why a turn cannot begin now."""
    if busy.running is None:
        first = await tx.one(Ref("turns", busy.waiting[0]["turn"]))
        return TurnInProgressError(
            "a turn waits in this session", retry_after=1.0, turn_id=from_name(first["turn_id"])
        )
    turn_id = from_name(busy.running["turn_id"])
    if busy.running["status"] == "paused":
        return ApprovalRequiredError("a turn of this session waits for the user's answer", turn_id=turn_id)
    left = (busy.running["until"] - to_micros(now)) / 1_000_000
    return TurnInProgressError(
        "a turn is running in this session",
        retry_after=min(max(left, 1.0), _MAX_RETRY_AFTER),
        turn_id=turn_id,
    )


async def wait_in_line(
    tx: Transaction, session: Document, turn: Document, wait_seconds: float, now: datetime
) -> BegunTurn:
    """Gives the turn the last place in the line."""
    running = await running_turn(tx, session)
    session.set(line=[*session["line"], {"turn": turn.ref.id, "until": later(now, wait_seconds)}])
    key = SessionKey(user_id=from_name(session["user"]), session_id=from_name(session["session"]))
    touch(session, now)
    return BegunTurn(
        turn=await turn_of(tx, turn),
        session=session_of(tx, key, session, running),
        lease=None,
        base_revision=revision_of(session, running) - 1,
    )


async def claim_waiting(
    tx: Transaction,
    *,
    key: SessionKey,
    turn_ids: tuple[str, ...],
    now: datetime,
    lease_seconds: float,
    wait_seconds: float,
    history_messages: int,
) -> BegunTurn | None:
    """See `TurnStore.claim_waiting`."""
    session = await live_session(tx, key)
    ours = {turn_ref(key.user_id, turn_id).id for turn_id in turn_ids}
    running = await running_turn(tx, session)
    if running is not None and running.ref.id in ours and runs_already(session, running, now):
        return await started_before(tx, session, running, history_messages=history_messages)
    if not any(place["turn"] in ours for place in session["line"]):
        return None
    until = later(now, wait_seconds)
    session.set(
        line=[
            {**place, "until": max(until, place["until"])} if place["turn"] in ours else place
            for place in session["line"]
        ]
    )
    busy = await look(tx, session, now)
    if busy.running is not None or busy.waiting[0]["turn"] not in ours:
        return None
    await clear(tx, session, now)
    first = await tx.one(Ref("turns", busy.waiting[0]["turn"]))
    leave_line(session, first)
    return await start_turn(
        tx, session, first, now=now, lease_seconds=lease_seconds, history_messages=history_messages
    )
