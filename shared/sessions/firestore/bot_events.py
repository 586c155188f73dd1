"""The transactions of `BotEvents`: a document for each event and session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.bots.facts import LOG_TYPE
from shared.keys import SessionKey
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.bot_facts import facts_ref, lines_of, place_of, put_facts
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name, session_id, to_name
from shared.sessions.firestore.sessions import is_live, session_ref
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.inbound_port import AddressedEvent, Outcome, RecordedEvent
from shared.sessions.page import Page

# Each may be two documents for each of its sessions; a commit takes 500, and 10 MiB.
EVENTS_AT_ONCE = 100

_KEPT = timedelta(days=30)
_MOST_OF_ID = 20


async def record_events(
    tx: Transaction, events: Sequence[AddressedEvent], now: datetime
) -> tuple[Outcome, ...]:
    """See `BotEvents.record_events`."""
    keys = {key: session_ref(key) for each in events for key in each.keys}
    sessions = dict(zip(keys, await tx.get(*keys.values()), strict=True))
    live = {key: session for key, session in sessions.items() if is_live(session)}
    pairs = [(each, key) for each in events for key in each.keys if key in live]
    await tx.get(
        *(_ref(key, each) for each, key in pairs), *(facts_ref(key, each.event.bot_id) for each, key in pairs)
    )
    outcomes: list[Outcome] = []
    seen: set[Ref] = set()
    for each in events:
        mine = [key for key in each.keys if key in live]
        is_new = False
        for key in mine:
            ref = _ref(key, each)
            is_new |= ref not in seen and await _record(tx, each, key, live[key], now)
            seen.add(ref)
        outcomes.append("unknown_session" if not mine else "applied" if is_new else "duplicate")
    return tuple(outcomes)


async def bot_history(
    tx: Transaction, user_id: str, bot_id: str, limit: int, cursor: str | None
) -> Page[RecordedEvent]:
    """See `BotEvents.bot_history`."""
    before = _text(read_cursor(cursor, str)[0]) if cursor is not None else "~"
    found = await tx.find(
        Query(
            collection="bot_events",
            equal=(("bot", document_id(user_id, bot_id)),),
            order="place",
            range=(("<", before),),
            descending=True,
            limit=limit + 1,
        )
    )
    page = found[:limit]
    sessions = {each["session"] for each in page}
    there = {
        each.ref.id for each in await tx.get(*(Ref("sessions", name) for name in sessions)) if is_live(each)
    }
    # What several sessions have stands side by side.
    once = {each["place"]: each for each in page if each["session"] in there}
    items = tuple(_recorded(tx, user_id, bot_id, each) for each in once.values())
    return Page(items=items, next_cursor=write_cursor(page[-1]["place"]) if len(found) > limit else None)


async def sessions_of_id(tx: Transaction, session_name: str) -> tuple[SessionKey, ...]:
    """See `BotEvents.sessions_of_id`."""
    name = to_name(session_name)
    found = await tx.find(
        Query(collection="sessions", order="session", range=((">=", name), ("<=", name)), limit=_MOST_OF_ID)
    )
    users = sorted(from_name(each["user"]) for each in found if is_live(each))
    return tuple(SessionKey(user_id=user_id, session_id=session_name) for user_id in users[:2])


async def _record(
    tx: Transaction, each: AddressedEvent, key: SessionKey, session: Document, now: datetime
) -> bool:
    """Keeps it unless it is there; whether it is by this call."""
    event = each.event
    document, facts = await tx.get(_ref(key, each), facts_ref(key, event.bot_id))
    if document.exists:
        # Of the attempt whose answer was lost.
        return bool(document["received_at"] == to_micros(now))
    document.set(**_values(tx, each, key, now))
    if event.facts:
        put_facts(tx, facts, key, event)
        if not session.get("has_facts"):
            session.set(has_facts=True)
    return True


def _values(tx: Transaction, each: AddressedEvent, key: SessionKey, now: datetime) -> dict[str, Any]:
    event = each.event
    body = {"source": event.source, "id": event.event_id, "data": event.data}
    is_line = event.bot_id is not None and event.type == LOG_TYPE
    return {
        "user": to_name(key.user_id),
        "session": session_id(key),
        "session_id": to_name(key.session_id),
        "bot": "" if event.bot_id is None else document_id(key.user_id, event.bot_id),
        "lines": lines_of(key, event.bot_id or "") if is_line else "",
        "type": event.type,
        "place": place_of(to_micros(event.time), event.key),
        "occurred_at": to_micros(event.time),
        "received_at": to_micros(now),
        "body": checked(tx.codec.encode(body, key.user_id)),
        "expires_at": now + _KEPT,
    }


def _ref(key: SessionKey, each: AddressedEvent) -> Ref:
    return Ref("bot_events", document_id(key.user_id, key.session_id, each.event.key))


def _recorded(tx: Transaction, user_id: str, bot_id: str, document: Document) -> RecordedEvent:
    body = tx.codec.decode(document["body"], user_id)
    return RecordedEvent(
        key=SessionKey(user_id=user_id, session_id=from_name(document["session_id"])),
        source=body["source"],
        event_id=body["id"],
        type=document["type"],
        time=from_micros(document["occurred_at"]),
        received_at=from_micros(document["received_at"]),
        bot_id=bot_id,
        data=body["data"],
    )


def _text(value: Any) -> str:
    # A cursor is the caller's word: it may hold what no string of Firestore holds.
    return str(value).encode("utf-8", "replace").decode()
