"""How a turn gets the session's lease, as a new one, out of the line, or taken up again."""

from __future__ import annotations

from datetime import datetime

from shared.keys import SessionKey
from shared.sessions.firestore.bot_facts import with_derived
from shared.sessions.firestore.ends import number_turn
from shared.sessions.firestore.history import read_history, summary_of
from shared.sessions.firestore.names import from_name
from shared.sessions.firestore.sessions import revision_of, session_of, touch
from shared.sessions.firestore.times import later, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import add_steps, session_key, turn_of
from shared.sessions.turn_port import BegunTurn, Lease
from shared.turn import Step, Turn


async def start_turn(
    tx: Transaction,
    session: Document,
    turn: Document,
    *,
    now: datetime,
    lease_seconds: float,
    history_messages: int,
    step: Step | None = None,
    taking: str | None = None,
    known_revision: int | None = None,
) -> BegunTurn:
    """Gives a turn the lease of a free session: numbered if it is not, with a further step if given."""
    base_revision = revision_of(session, None)
    if not turn["number"]:
        number_turn(tx, session, turn, now)
    if step is not None:
        add_steps(tx, turn, turn["count"], (step,), now)
    token = session["token"] + 1
    if turn["number"] > session["last_ran"]:
        turn.set(ran_before=session["last_ran"])
    session.set(token=token, running=turn.ref.id, last_ran=turn["number"])
    touch(session, now)
    turn.set(
        status="running",
        completed_at=None,
        token=token,
        taking=taking,
        until=later(now, lease_seconds),
        begun_with=turn["count"],
    )
    return await _begun(
        tx,
        session,
        turn,
        base_revision=base_revision,
        history_messages=history_messages,
        known_revision=known_revision,
    )


async def started_before(
    tx: Transaction,
    session: Document,
    turn: Document,
    *,
    history_messages: int,
    known_revision: int | None = None,
) -> BegunTurn:
    """What the write gave that gave this turn the session's lease."""
    base_revision = revision_of(session, turn) - 1
    return await _begun(
        tx,
        session,
        turn,
        base_revision=base_revision,
        history_messages=history_messages,
        known_revision=known_revision,
    )


def runs_already(session: Document, turn: Document, now: datetime) -> bool:
    """Whether the turn runs under a lease that holds: the write that began it is being repeated."""
    return (
        turn.exists
        and session["running"] == turn.ref.id
        and turn["status"] == "running"
        and turn["until"] > to_micros(now)
    )


async def _begun(
    tx: Transaction,
    session: Document,
    turn: Document,
    *,
    base_revision: int,
    history_messages: int,
    known_revision: int | None,
) -> BegunTurn:
    history: tuple[Turn, ...] | None = None
    if known_revision is None or known_revision != base_revision:
        history = await read_history(tx, session, turn["number"], history_messages)
    key = session_key(turn)
    return BegunTurn(
        turn=await turn_of(tx, turn),
        session=await with_derived(tx, session_of(tx, key, session, turn), session),
        lease=lease_of(turn, key),
        history=history,
        summary=summary_of(tx, session, key),
        base_revision=base_revision,
    )


def lease_of(turn: Document, key: SessionKey) -> Lease:
    """The lease that the turn runs under."""
    return Lease(
        key=key,
        turn_id=from_name(turn["turn_id"]),
        turn_number=turn["number"],
        token=turn["token"],
    )
