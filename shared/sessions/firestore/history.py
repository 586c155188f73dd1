"""Reading a session's turns: one query of turn documents, each of which holds its steps."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.errors import SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Summary
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import session_id
from shared.sessions.firestore.sessions import is_live, live_session
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import (
    is_kept,
    session_key,
    turn_not_found,
    turn_of,
    turn_ref,
    turns_of,
)
from shared.sessions.page import Page
from shared.turn import Turn

# No emulator takes a larger integer; no session has so many turns.
_AFTER_ALL = 2**53 - 1
_FIRST_TURNS = 16
_MOST_TURNS = 100


async def load_turn(tx: Transaction, user_id: str, turn_id: str, now: datetime) -> Turn:
    """See `TurnStore.load_turn`: the turn's document and its session's."""
    document = await tx.one(turn_ref(user_id, turn_id))
    if not is_kept(document):
        raise turn_not_found()
    session = await tx.one(Ref("sessions", document["session"]))
    if not is_live(session):
        raise turn_not_found()
    return await read_turn(tx, document, session, now)


async def read_turn(tx: Transaction, document: Document, session: Document, now: datetime) -> Turn:
    """The turn as a reader sees it: `interrupted` when its lease or its place in the line has run out."""
    turn = await turn_of(tx, document, now)
    if turn.status != "waiting" or _has_place(session, document, now):
        return turn
    return replace(turn, status="interrupted")


async def list_turns(
    tx: Transaction, key: SessionKey, limit: int, cursor: str | None, now: datetime
) -> Page[Turn]:
    """See `TurnStore.list_turns`: reads as many documents as it gives turns, one more, and the session's."""
    before = min(int(read_cursor(cursor, int)[0]), _AFTER_ALL) if cursor else _AFTER_ALL
    await live_session(tx, key)
    found = await tx.find(_turns_before(session_id(key), before, limit + 1))
    items = tuple(await turns_of(tx, found[:limit], now))
    more = len(found) > limit
    return Page(items=items, next_cursor=write_cursor(found[limit - 1]["number"]) if more else None)


async def read_history(tx: Transaction, session: Document, before: int, messages: int) -> tuple[Turn, ...]:
    """The newest whole turns before that number, behind the summary, that hold about so many messages.

    Oldest first; at least one turn comes, however many messages it holds.
    """
    chosen: list[Document] = []
    count, after = 0, session["summary_through"]
    # Turns that this transaction gave their numbers are not in the database yet.
    ahead = [turn for turn in tx.known("turns") if _is_between(turn, session, after, before)]
    # Two, so that one which was taken out is not all there is.
    size = max(min(_FIRST_TURNS, messages // 2 + 1), 2)
    place = before
    while True:
        found = await tx.find(_turns_before(session.ref.id, place, size, after=after))
        # What the transaction has taken out of the record still is there.
        there = {turn.ref: turn for turn in (*ahead, *found) if _is_between(turn, session, after, before)}
        for turn in sorted(there.values(), key=lambda turn: -turn["number"]):
            count += max(1, turn["count"] - 1)
            if chosen and count > messages:
                return await _oldest_first(tx, chosen)
            chosen.append(turn)
        if len(found) < size:
            return await _oldest_first(tx, chosen)
        ahead, place = [], chosen[-1]["number"]
        # About as many more as are wanted, by what the turns so far hold.
        size = min(max((messages - count) * len(chosen) // max(count, 1) + 2, 2), _MOST_TURNS)


def _is_between(turn: Document, session: Document, after: int, before: int) -> bool:
    if not is_kept(turn) or turn["session"] != session.ref.id:
        return False
    return bool(after < turn["number"] < before)


async def has_other_turns(tx: Transaction, session: Document, turn: Document) -> bool:
    """Whether the session has a turn beside this one that has its number."""
    found = await tx.find(_turns_before(session.ref.id, _AFTER_ALL, 2))
    return any(each.ref != turn.ref for each in found)


def summary_of(tx: Transaction, session: Document, key: SessionKey) -> Summary | None:
    """The session's summary."""
    return None if session["summary"] is None else tx.codec.decode_summary(session["summary"], key.user_id)


async def _oldest_first(tx: Transaction, chosen: list[Document]) -> tuple[Turn, ...]:
    return tuple(await turns_of(tx, reversed(chosen)))


def _turns_before(session: str, before: int, limit: int, after: int = 0) -> Query:
    return Query(
        collection="turns",
        equal=(("session", session),),
        order="number",
        # A turn that waits or was removed has the number 0.
        range=((">", after), ("<", before)),
        descending=True,
        limit=limit,
    )


def _has_place(session: Document, turn: Document, now: datetime) -> bool:
    micros = to_micros(now)
    return any(place["turn"] == turn.ref.id and place["until"] > micros for place in session["line"])


async def repeated(tx: Transaction, user_id: str, turn_id: str, now: datetime) -> tuple[Turn, Document]:
    """The turn that an idempotency key named, and its session.

    Raises:
        SessionNotFoundError: the session was deleted.
        TurnNotFoundError: the turn was rolled back.
    """
    document = await tx.one(turn_ref(user_id, turn_id))
    if not is_kept(document):
        raise turn_not_found()
    session = await tx.one(Ref("sessions", document["session"]))
    if not is_live(session):
        raise SessionNotFoundError(f"the session of turn {session_key(document).session_id} was deleted")
    return await read_turn(tx, document, session, now), session
