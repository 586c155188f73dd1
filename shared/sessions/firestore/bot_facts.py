"""The newest facts about a session's bots: a document a bot, its facts by kind.

A session's document says whether it has any (`has_facts`): one that has none costs no read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.bots.context import MOST_LINES, derived_context, wants_lines
from shared.bots.facts import BotEvent, Fact, LogLine
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name, session_id, to_name
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction

# The newest are read; a context shows fewer.
_MOST_BOTS = 40
# The lines of a crash come from another stream of the platform, and may be a little later than its event.
_LINES_AFTER = timedelta(seconds=30)


def facts_ref(key: SessionKey, bot_id: str | None) -> Ref:
    """Where the facts about a bot in a session are; without a bot, those about the session."""
    return Ref("bot_facts", document_id(key.user_id, key.session_id, bot_id or ""))


def place_of(micros: int, event_key: str) -> str:
    """Orders events by time, then by key."""
    return f"{micros:020} {event_key}"


def lines_of(key: SessionKey, bot_id: str) -> str:
    """What the events have in common that are lines of a bot's log in a session."""
    return document_id(key.user_id, key.session_id, bot_id, "lines")


def put_facts(tx: Transaction, document: Document, key: SessionKey, event: BotEvent) -> None:
    """Takes in what the event tells; of a kind the newest stays."""
    place = place_of(to_micros(event.time), event.key)
    known: Mapping[str, Any] = document.get("facts") or {}
    newer: dict[str, Any] = {
        kind: {
            "at": to_micros(event.time),
            "key": event.key,
            "type": event.type,
            "value": checked(tx.codec.encode(value, key.user_id)),
        }
        for kind, value in event.facts.items()
        if kind not in known or place_of(known[kind]["at"], known[kind]["key"]) < place
    }
    if not newer:
        return
    if not document.exists:
        document.set(
            user=to_name(key.user_id),
            session=session_id(key),
            bot_id=to_name(event.bot_id or ""),
            place="",
            facts={},
        )
    document.put("facts", newer)
    document.set(place=max(document["place"], place))


async def with_derived(tx: Transaction, session: Session, document: Document) -> Session:
    """The session with what its events tell; the document is the session's."""
    if not document.get("has_facts"):
        return session
    key = session.key
    found = await tx.find(
        Query(
            collection="bot_facts",
            equal=(("session", session_id(key)),),
            order="place",
            descending=True,
            limit=_MOST_BOTS,
        )
    )
    facts = [fact for each in found for fact in _facts(tx, key, each)]
    crashed = wants_lines(facts)
    lines = await _lines(tx, key, crashed) if crashed is not None else ()
    return replace(session, derived=derived_context(facts, lines))


def _facts(tx: Transaction, key: SessionKey, document: Document) -> list[Fact]:
    return [
        Fact(
            bot_id=from_name(document["bot_id"]),
            kind=kind,
            time=from_micros(fact["at"]),
            event_key=fact["key"],
            event_type=fact["type"],
            value=tx.codec.decode(fact["value"], key.user_id),
        )
        for kind, fact in document["facts"].items()
    ]


async def _lines(tx: Transaction, key: SessionKey, crashed: Fact) -> list[LogLine]:
    until = place_of(to_micros(crashed.time + _LINES_AFTER), "~")
    found = await tx.find(
        Query(
            collection="bot_events",
            equal=(("lines", lines_of(key, crashed.bot_id)),),
            order="place",
            range=(("<", until),),
            descending=True,
            limit=MOST_LINES,
        )
    )
    return [
        LogLine(
            time=from_micros(each["occurred_at"]),
            text=str(tx.codec.decode(each["body"], key.user_id)["data"].get("line", "")),
        )
        for each in reversed(found)
    ]
