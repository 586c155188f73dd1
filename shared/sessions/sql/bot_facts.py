"""The newest fact of each kind about a session's bots, and what a session's context shows of them.

A session's row says whether it has any (`has_facts`): one that has none costs no query.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Insert, and_, bindparam, or_, select, update

from shared.bots.context import MOST_FACTS, MOST_LINES, derived_context, wants_lines
from shared.bots.facts import LOG_TYPE, BotEvent, Fact, LogLine
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.sql.columns import AnyRow, from_micros, to_micros
from shared.sessions.sql.schema import bot_events, bot_facts, sessions
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

# The lines of a crash come from another stream of the platform, and may be a little later than its event.
_LINES_AFTER = timedelta(seconds=30)

_OF_SESSION = (bot_facts.c.user_id == bindparam("user"), bot_facts.c.session_id == bindparam("session"))
_KNOWN = (
    select(
        bot_facts.c.bot_id,
        bot_facts.c.kind,
        bot_facts.c.occurred_at,
        bot_facts.c.event_key,
        bot_facts.c.event_type,
        bot_facts.c.value,
    )
    .where(*_OF_SESSION)
    .order_by(bot_facts.c.occurred_at.desc(), bot_facts.c.event_key.desc())
    .limit(MOST_FACTS)
)
_LINES = (
    select(bot_events.c.occurred_at, bot_events.c.body)
    .where(
        bot_events.c.user_id == bindparam("user"),
        bot_events.c.session_id == bindparam("session"),
        bot_events.c.bot_id == bindparam("bot"),
        bot_events.c.type == LOG_TYPE,
        bot_events.c.occurred_at <= bindparam("until", type_=BigInteger),
    )
    .order_by(bot_events.c.occurred_at.desc(), bot_events.c.event_key.desc())
    .limit(MOST_LINES)
)
_FLAG = (
    update(sessions)
    .where(
        sessions.c.user_id == bindparam("user"),
        sessions.c.session_id == bindparam("session"),
        sessions.c.has_facts.is_(False),
    )
    .values(has_facts=True)
)


def _put(database_insert: Any) -> Insert:
    """The newer of the two stays, whichever came first; so instances need not know of each other."""
    new = database_insert(bot_facts)
    taken = ("occurred_at", "event_key", "event_type", "value")
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id", "bot_id", "kind"],
        set_={name: new.excluded[name] for name in taken},
        where=or_(
            bot_facts.c.occurred_at < new.excluded.occurred_at,
            and_(
                bot_facts.c.occurred_at == new.excluded.occurred_at,
                bot_facts.c.event_key < new.excluded.event_key,
            ),
        ),
    )
    return statement


_PUT = upsert(_put)


@dataclass(frozen=True, slots=True)
class _Place:
    user_id: str
    session_id: str
    bot_id: str
    kind: str


def with_derived(tx: Tx, session: Session, row: AnyRow) -> Session:
    """The session with what its events tell; the row is one of `sessions.COLUMNS`."""
    if not row.has_facts:
        return session
    return replace(session, derived=_derived(tx, session.key))


def put_facts(tx: Tx, told: Iterable[tuple[SessionKey, str, BotEvent]]) -> None:
    """Takes in what events tell, each with its session and its key; of a kind the newest stays."""
    newest: dict[_Place, tuple[tuple[int, str], BotEvent]] = {}
    for key, event_key, event in told:
        order = to_micros(event.time), event_key
        for kind in event.facts:
            place = _Place(key.user_id, key.session_id, event.bot_id or "", kind)
            if place not in newest or newest[place][0] < order:
                newest[place] = order, event
    if not newest:
        return
    # In one order everywhere, so that two transactions never wait for each other.
    places = sorted(newest, key=lambda place: (place.user_id, place.session_id, place.bot_id, place.kind))
    tx.execute(_PUT(tx), [_values(tx, place, *newest[place]) for place in places])


def flag_sessions(tx: Tx, keys: Iterable[SessionKey]) -> None:
    """Marks sessions as having facts."""
    values = [
        {"user": user, "session": session}
        for user, session in sorted((key.user_id, key.session_id) for key in keys)
    ]
    if values:
        tx.execute(_FLAG, values)


def _values(tx: Tx, place: _Place, order: tuple[int, str], event: BotEvent) -> dict[str, Any]:
    occurred_at, event_key = order
    return {
        "user_id": place.user_id,
        "session_id": place.session_id,
        "bot_id": place.bot_id,
        "kind": place.kind,
        "occurred_at": occurred_at,
        "event_key": event_key,
        "event_type": event.type,
        "value": tx.codec.encode(_fact(event, place.kind), place.user_id),
    }


def _fact(event: BotEvent, kind: str) -> dict[str, Any]:
    return next(value for name, value in event.facts.items() if name == kind)


def _derived(tx: Tx, key: SessionKey) -> dict[str, Any]:
    ids = {"user": key.user_id, "session": key.session_id}
    facts = [
        Fact(
            bot_id=row.bot_id,
            kind=row.kind,
            time=from_micros(row.occurred_at),
            event_key=row.event_key,
            event_type=row.event_type,
            value=tx.codec.decode(row.value, key.user_id),
        )
        for row in tx.execute(_KNOWN, ids).all()
    ]
    crashed = wants_lines(facts)
    if crashed is None:
        return derived_context(facts)
    until = to_micros(crashed.time + _LINES_AFTER)
    rows = tx.execute(_LINES, ids | {"bot": crashed.bot_id, "until": until}).all()
    lines = [
        LogLine(
            time=from_micros(row.occurred_at),
            text=str(tx.codec.decode(row.body, key.user_id)["data"].get("line", "")),
        )
        for row in reversed(rows)
    ]
    return derived_context(facts, lines)
