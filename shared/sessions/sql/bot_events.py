"""The transactions of `BotEvents`: a batch is a few statements, whatever its size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, select, tuple_

from shared.keys import SessionKey
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.inbound_port import AddressedEvent, Outcome, RecordedEvent
from shared.sessions.page import Page
from shared.sessions.sql.bot_facts import flag_sessions, put_facts
from shared.sessions.sql.columns import AnyRow, Name, from_micros, to_micros
from shared.sessions.sql.schema import bot_events, sessions
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

Place = tuple[str, str, str]

_KEY = (bot_events.c.user_id, bot_events.c.session_id, bot_events.c.event_key)
_IS_LIVE = sessions.c.deleted_at.is_(None)
# The lock is one that turns do not wait for, and the emptying of a deleted session does.
_LIVE = (
    select(sessions.c.user_id, sessions.c.session_id, sessions.c.has_facts)
    .where(
        tuple_(sessions.c.user_id, sessions.c.session_id).in_(bindparam("places", expanding=True)), _IS_LIVE
    )
    .order_by(sessions.c.user_id, sessions.c.session_id)
    .with_for_update(read=True, key_share=True)
)
_ADD = upsert(
    lambda insert: (
        insert(bot_events)
        .on_conflict_do_nothing(index_elements=["user_id", "session_id", "event_key"])
        .returning(*_KEY)
    )
)
_OF_THIS_CALL = select(*_KEY).where(
    tuple_(*_KEY).in_(bindparam("places", expanding=True)),
    bot_events.c.received_at == bindparam("now", type_=BigInteger),
)
_HISTORY = (
    select(
        bot_events.c.session_id,
        bot_events.c.event_key,
        bot_events.c.type,
        bot_events.c.occurred_at,
        bot_events.c.received_at,
        bot_events.c.body,
    )
    .join(
        sessions,
        (sessions.c.user_id == bot_events.c.user_id) & (sessions.c.session_id == bot_events.c.session_id),
    )
    .where(bot_events.c.user_id == bindparam("user"), bot_events.c.bot_id == bindparam("bot"), _IS_LIVE)
    .order_by(bot_events.c.occurred_at.desc(), bot_events.c.event_key.desc(), bot_events.c.session_id.desc())
    .limit(bindparam("rows"))
)
_HISTORY_AFTER = _HISTORY.where(
    tuple_(bot_events.c.occurred_at, bot_events.c.event_key)
    < tuple_(bindparam("before", type_=BigInteger), bindparam("before_key", type_=Name))
)
_OF_ID = (
    select(sessions.c.user_id)
    .where(sessions.c.session_id == bindparam("session"), _IS_LIVE)
    .order_by(sessions.c.user_id)
    .limit(2)
)


def record_events(tx: Tx, events: Sequence[AddressedEvent], now: datetime) -> tuple[Outcome, ...]:
    """See `BotEvents.record_events`."""
    wanted = sorted({(key.user_id, key.session_id) for each in events for key in each.keys})
    if not wanted:
        return tuple(_outcomes([()] * len(events), set()))
    live = {
        SessionKey(user_id=row.user_id, session_id=row.session_id): row.has_facts
        for row in tx.execute(_LIVE, {"places": wanted}).all()
    }
    rows: dict[Place, tuple[SessionKey, AddressedEvent]] = {}
    places: list[list[Place]] = []
    for each in events:
        event_key = each.event.key
        mine = [(key.user_id, key.session_id, event_key) for key in each.keys if key in live]
        places.append(mine)
        for place in mine:
            rows.setdefault(place, (SessionKey(user_id=place[0], session_id=place[1]), each))
    added = _add(tx, rows, now)
    told = [(rows[place][0], place[2], rows[place][1].event) for place in added]
    flag_sessions(tx, {key for key, _, event in told if event.facts and not live[key]})
    put_facts(tx, told)
    fresh = added | _added_before(tx, rows.keys() - added, now)
    return tuple(_outcomes(places, fresh))


def bot_history(tx: Tx, user_id: str, bot_id: str, limit: int, cursor: str | None) -> Page[RecordedEvent]:
    """See `BotEvents.bot_history`."""
    values: dict[str, Any] = {"user": user_id, "bot": bot_id, "rows": limit + 1}
    statement = _HISTORY
    if cursor is not None:
        before, before_key = read_cursor(cursor, int, str)
        statement, values = _HISTORY_AFTER, values | {"before": before, "before_key": before_key}
    rows = tx.execute(statement, values).all()
    # What several sessions have stands side by side.
    once = {row.event_key: row for row in rows[:limit]}
    items = tuple(_recorded(tx, user_id, bot_id, row) for row in once.values())
    if len(rows) <= limit:
        return Page(items=items)
    last = rows[limit - 1]
    return Page(items=items, next_cursor=write_cursor(last.occurred_at, last.event_key))


def sessions_of_id(tx: Tx, session_id: str) -> tuple[SessionKey, ...]:
    """See `BotEvents.sessions_of_id`."""
    users = tx.execute(_OF_ID, {"session": session_id}).scalars()
    return tuple(SessionKey(user_id=user_id, session_id=session_id) for user_id in users)


def _add(tx: Tx, rows: dict[Place, tuple[SessionKey, AddressedEvent]], now: datetime) -> set[Place]:
    """Keeps those that are new; which they are."""
    if not rows:
        return set()
    received_at = to_micros(now)
    values = [
        {
            "user_id": place[0],
            "session_id": place[1],
            "event_key": place[2],
            "bot_id": rows[place][1].event.bot_id,
            "type": rows[place][1].event.type,
            "occurred_at": to_micros(rows[place][1].event.time),
            "received_at": received_at,
            "body": tx.codec.encode(_body(rows[place][1]), place[0]),
        }
        # In one order everywhere, so that two transactions never wait for each other.
        for place in sorted(rows)
    ]
    return {(row.user_id, row.session_id, row.event_key) for row in tx.execute(_ADD(tx), values).all()}


def _added_before(tx: Tx, places: set[Place], now: datetime) -> set[Place]:
    """Those that this very call added, in an attempt whose answer was lost."""
    if not places:
        return set()
    values = {"places": sorted(places), "now": to_micros(now)}
    return {(row.user_id, row.session_id, row.event_key) for row in tx.execute(_OF_THIS_CALL, values).all()}


def _outcomes(places: Sequence[Sequence[Place]], fresh: set[Place]) -> list[Outcome]:
    """One word for each event; of one that stands twice in a call the second is a duplicate."""
    found: list[Outcome] = []
    seen: set[Place] = set()
    for mine in places:
        is_new = any(place in fresh and place not in seen for place in mine)
        found.append("unknown_session" if not mine else "applied" if is_new else "duplicate")
        seen.update(mine)
    return found


def _body(each: AddressedEvent) -> dict[str, Any]:
    return {"source": each.event.source, "id": each.event.event_id, "data": each.event.data}


def _recorded(tx: Tx, user_id: str, bot_id: str, row: AnyRow) -> RecordedEvent:
    body = tx.codec.decode(row.body, user_id)
    return RecordedEvent(
        key=SessionKey(user_id=user_id, session_id=row.session_id),
        source=body["source"],
        event_id=body["id"],
        type=row.type,
        time=from_micros(row.occurred_at),
        received_at=from_micros(row.received_at),
        bot_id=bot_id,
        data=body["data"],
    )
