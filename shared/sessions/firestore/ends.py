"""How a turn ends otherwise than by its own last step: interrupted, stopped from outside, or rolled back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from shared.keys import SessionKey
from shared.session import title_of
from shared.sessions.firestore.artifacts import take_back_versions
from shared.sessions.firestore.bodies import bodies_of, part_refs
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.history import has_other_turns, read_turn
from shared.sessions.firestore.names import from_name
from shared.sessions.firestore.outbox import put_events, release_events
from shared.sessions.firestore.sessions import (
    is_live,
    revision_of,
    running_turn,
    session_not_found,
    session_ref,
    touch,
)
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import (
    REMOVED,
    add_steps,
    is_kept,
    turn_not_found,
    turn_ref,
)
from shared.sessions.outbox_port import OutgoingEvent
from shared.turn import UNFINISHED, Turn, TurnStatus, UserStep

# As long as a late repeat may ask for the turn by its idempotency key.
_REMOVED_KEPT = timedelta(hours=25)


def number_turn(tx: Transaction, session: Document, turn: Document, now: datetime) -> None:
    """Gives a turn that waited, or is new, its number and step 0."""
    request = tx.codec.decode_request(turn["request"], from_name(turn["user"]))
    turn.set(number=session["next_number"])
    session.set(next_number=session["next_number"] + 1)
    add_steps(tx, turn, 0, (UserStep(text=request.message, context=request.context),), now)


async def end_turn(
    tx: Transaction, session: Document, turn: Document, status: TurnStatus, now: datetime
) -> None:
    """Ends a turn that runs or is paused: its lease is lost, its events are let go, the session is free."""
    if session["running"] == turn.ref.id:
        free(session, turn)
    await release_events(tx, session, turn, now)
    turn.set(status=status, completed_at=to_micros(now), begun_with=turn["count"])


def free(session: Document, running: Document) -> None:
    """Takes the lease from the turn that has it.

    The session's revision passes all that the owner could have come to: who kept the history as it would be
    then finds that it is another.
    """
    session.set(running=None, revision=revision_of(session, running) + 1)


def leave_line(session: Document, *turns: Document) -> None:
    """Takes turns out of the session's line."""
    gone = {turn.ref.id for turn in turns}
    session.set(line=[place for place in session["line"] if place["turn"] not in gone])


async def stop_turn(
    tx: Transaction,
    *,
    user_id: str,
    turn_id: str,
    status: Literal["cancelled", "interrupted"],
    now: datetime,
    events: tuple[OutgoingEvent, ...],
) -> Turn:
    """See `TurnStore.stop_turn`."""
    turn = await tx.one(turn_ref(user_id, turn_id))
    if not is_kept(turn):
        raise turn_not_found()
    session = await tx.one(Ref("sessions", turn["session"]))
    if not is_live(session):
        raise turn_not_found()
    if turn["status"] in UNFINISHED:
        if turn["status"] == "waiting":
            leave_line(session, turn)
            number_turn(tx, session, turn, now)
        await end_turn(tx, session, turn, status, now)
        await put_events(tx, session, events, now)
        touch(session, now)
    return await read_turn(tx, turn, session, now)


async def roll_back(tx: Transaction, session: Document, turn: Document, now: datetime) -> None:
    """Takes a turn out of the record with its artifact versions, as if it had never been.

    What is left of it is a mark that keeps its id from being used again. The parts of its large bodies are
    out of reach from here on: `Store.tidy` removes them with the mark.
    """
    await take_back_versions(tx, session, turn)
    free(session, turn)
    if session["last_ran"] == turn["number"]:
        session.set(last_ran=turn["ran_before"])
    await _take_back_title(tx, session, turn)
    split = any(part_refs(owner, body) for owner, body in bodies_of(turn))
    turn.replace(
        user=turn["user"],
        session=turn["session"],
        session_id=turn["session_id"],
        turn_id=turn["turn_id"],
        number=0,
        status=REMOVED,
        completed_at=to_micros(now),
        is_split=split,
        expires_at=now + _REMOVED_KEPT,
    )


async def _take_back_title(tx: Transaction, session: Document, turn: Document) -> None:
    """Makes the session untitled again when it has its title from this turn, its only one."""
    user_id = from_name(turn["user"])
    request = tx.codec.decode_request(turn["request"], user_id)
    if tx.codec.decode(session["title"], user_id) != title_of(request.message):
        return
    if not await has_other_turns(tx, session, turn):
        session.set(untitled=True)


async def delete_session(tx: Transaction, key: SessionKey, now: datetime) -> None:
    """See `SessionStore.delete_session`; a turn that runs loses its lease."""
    session = await tx.one(session_ref(key))
    if session.exists and session["deleted_at"] == to_micros(now):
        return
    if not is_live(session):
        raise session_not_found()
    running = await running_turn(tx, session)
    if running is not None:
        await end_turn(tx, session, running, "interrupted", now)
    touch(session, now)
    session.set(deleted_at=to_micros(now), place="", line=[], token=session["token"] + 1)
