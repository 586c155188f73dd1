"""The transactions of `EventOutbox`. An unfinished turn holds its events in its own document.

An event's document is made when it is to be published. `place` orders these documents: the event's sequence
number while it waits, empty from then on. Numbers are of a session, as one counter of all would be one
hot document: the time in nanoseconds, raised where a session's last one is not below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.errors import TooLargeError
from shared.keys import SessionKey
from shared.sessions.firestore.bodies import Bodies, checked, put_body
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name, to_name
from shared.sessions.firestore.sessions import live_session
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import unfinished_turn
from shared.sessions.outbox_port import OutboxLag, OutgoingEvent, StoredEvent

MOST_HELD = 200
MARKED_AT_ONCE = 200

_KEPT = timedelta(days=7)
_NANOS = 1000
_WAITING = (">", "")


def hold_events(tx: Transaction, turn: Document, events: tuple[OutgoingEvent, ...], now: datetime) -> None:
    """Keeps the events of an unfinished turn for its end; one that it holds already stays as it is.

    Raises:
        TooLargeError: the turn holds more than one commit can let go.
    """
    held = {each["id"] for each in turn["events"]}
    added, size, user_id = [], turn["size"], from_name(turn["user"])
    for event in events:
        name = to_name(event.event_id)
        if name in held:
            continue
        held.add(name)
        label = f"e{document_id(event.event_id)[:16]}"
        body, taken = put_body(tx, turn, label, checked(tx.codec.encode_event(event, user_id)), inline=size)
        size += taken
        added.append({"id": name, "type": event.type, "at": to_micros(now), "body": body})
    if len(held) > MOST_HELD:
        raise TooLargeError(f"a turn causes at most {MOST_HELD} events")
    if added:
        turn.set(events=[*turn["events"], *added], size=size)


async def release_events(tx: Transaction, session: Document, turn: Document, now: datetime) -> None:
    """Lets the events of a turn that ends go out."""
    held = turn["events"]
    bodies = await Bodies.of(tx, ((turn.ref.id, each["body"]) for each in held))
    entries = [{**each, "body": bodies.whole(turn.ref.id, each["body"])} for each in held]
    await _publish(tx, session, entries, now)
    turn.set(events=[])


async def put_events(
    tx: Transaction, session: Document, events: tuple[OutgoingEvent, ...], now: datetime
) -> None:
    """Puts events in the outbox; one whose id the user's outbox holds already stays as it is."""
    user_id = from_name(session["user"])
    entries = [
        {
            "id": to_name(event.event_id),
            "type": event.type,
            "at": to_micros(now),
            "body": checked(tx.codec.encode_event(event, user_id)),
        }
        for event in events
    ]
    await _publish(tx, session, entries, now)


async def add_events(
    tx: Transaction,
    key: SessionKey,
    events: tuple[OutgoingEvent, ...],
    now: datetime,
    turn_id: str | None,
) -> None:
    """See `EventOutbox.add_events`.

    Raises:
        SessionConflictError: the turn was rolled back, or never was.
    """
    session = await live_session(tx, key)
    turn = await unfinished_turn(tx, key, turn_id)
    if turn is None:
        await put_events(tx, session, events, now)
    else:
        hold_events(tx, turn, events, now)


async def unpublished_events(tx: Transaction, limit: int) -> tuple[StoredEvent, ...]:
    """See `EventOutbox.unpublished_events`."""
    found = await tx.find(Query(collection="outbox", order="place", range=(_WAITING,), limit=limit))
    return tuple(_stored(tx, document) for document in found)


async def mark_published(tx: Transaction, events: Sequence[StoredEvent], now: datetime) -> None:
    """See `EventOutbox.mark_published`."""
    refs = [_ref(each.key.user_id, each.event.event_id) for each in events]
    for document in await tx.get(*refs):
        if document.exists and document["place"]:
            document.set(place="", published_at=to_micros(now), expires_at=now + _KEPT)


async def outbox_lag(tx: Transaction) -> OutboxLag:
    """See `EventOutbox.outbox_lag`; the age is that of the event which is to go out first."""
    query = Query(collection="outbox", order="place", range=(_WAITING,))
    waiting = await tx.count(query)
    if not waiting:
        return OutboxLag(waiting=0, oldest=None)
    first = await tx.find(Query(collection="outbox", order="place", range=(_WAITING,), limit=1))
    return OutboxLag(waiting=waiting, oldest=from_micros(first[0]["visible_at"]) if first else None)


async def _publish(
    tx: Transaction, session: Document, entries: Sequence[dict[str, Any]], now: datetime
) -> None:
    if not entries:
        return
    user_id = from_name(session["user"])
    refs = [Ref("outbox", document_id(user_id, from_name(entry["id"]))) for entry in entries]
    sequence = max(session["sequence"], to_micros(now) - 1)
    for entry, document in zip(entries, await tx.get_new(*refs), strict=True):
        if document.exists:
            continue
        sequence += 1
        document.set(
            user=session["user"],
            session=session.ref.id,
            session_id=session["session"],
            event=entry["id"],
            type=entry["type"],
            body=entry["body"],
            created_at=entry["at"],
            # Tells the numbers of two sessions apart, most of the time; only those of one must be in order.
            place=f"{sequence * _NANOS + int(session.ref.id[:8], 16) % _NANOS:020}",
            visible_at=to_micros(now),
            published_at=None,
            expires_at=None,
        )
    session.set(sequence=sequence)


def _ref(user_id: str, event_id: str) -> Ref:
    return Ref("outbox", document_id(user_id, event_id))


def _stored(tx: Transaction, document: Document) -> StoredEvent:
    user_id = from_name(document["user"])
    return StoredEvent(
        sequence=int(document["place"]),
        key=SessionKey(user_id=user_id, session_id=from_name(document["session_id"])),
        event=tx.codec.decode_event(
            document["body"], user_id, event_id=from_name(document["event"]), type=document["type"]
        ),
        created_at=from_micros(document["created_at"]),
    )
