"""The transactions of `UserErasure`: every table with a `user_id` is gone through, children first.

A table that a later release adds joins by having that column; one with a `session_id` beside it goes with its
session.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Integer, Table, and_, bindparam, delete, exists, func, select

from shared.keys import SessionKey
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.erasure_port import ErasedPart, KnownSession, KnownSessionPage
from shared.sessions.sql.columns import Name
from shared.sessions.sql.schema import artifact_versions, metadata, sessions, steps, turns, waiting_turns
from shared.sessions.sql.tx import Tx

# As the port and Firestore name them; other tables count under their own names.
_KINDS = {
    "artifact_versions": "versions",
    "artifacts": "files",
    "held_events": "events",
    "idempotency": "idempotency_keys",
    "outbox": "events",
    "usage_reservations": "reservations",
    "user_secrets": "secrets",
    "waiting_turns": "turns",
}
OWNED = tuple(table for table in reversed(metadata.sorted_tables) if "user_id" in table.c)
_TURNS = (turns, waiting_turns)
_MOST = bindparam("most", type_=Integer)
_THIS = and_(sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
_LOCK = select(sessions.c.deleted_at, sessions.c.held_at).where(_THIS).with_for_update()
_SESSIONS = (
    select(sessions.c.session_id, sessions.c.deleted_at, sessions.c.held_at, sessions.c.running_turn_id)
    .where(sessions.c.user_id == bindparam("user"), sessions.c.session_id > bindparam("after", type_=Name))
    .order_by(sessions.c.session_id)
    .limit(_MOST)
)
_VERSIONS = and_(
    artifact_versions.c.user_id == bindparam("user"), artifact_versions.c.session_id == bindparam("session")
)
_OBJECTS = select(artifact_versions.c.object_key).where(_VERSIONS).limit(_MOST)
_REMOVE_VERSIONS = delete(artifact_versions).where(
    _VERSIONS, artifact_versions.c.object_key.in_(bindparam("gone", expanding=True))
)
_REMOVE_SESSION = delete(sessions).where(_THIS)


class _Rows:
    """The rows of one table that a condition names, removed some at a time."""

    def __init__(self, table: Table, *conditions: Any) -> None:
        self.kind = kind_of(table)
        self.has_turns = table in _TURNS
        key = tuple(table.primary_key)
        names = tuple(f"this_{part.name}" for part in key)
        self._names = names
        turn = (table.c.turn_id,) if self.has_turns else ()
        self._find = select(*key, *turn).where(table.c.user_id == bindparam("user"), *conditions).limit(_MOST)
        self._delete = delete(table).where(
            *(part == bindparam(name) for part, name in zip(key, names, strict=True))
        )

    def remove(self, tx: Tx, values: dict[str, Any], most: int) -> tuple[int, tuple[str, ...]]:
        """How many it removed, and the ids of the turns among them."""
        rows = tx.execute(self._find, values | {"most": most}).all()
        if rows:
            keys = [dict(zip(self._names, row, strict=False)) for row in rows]
            tx.execute(self._delete, keys)
        return len(rows), tuple(row.turn_id for row in rows) if self.has_turns else ()


def kind_of(table: Table) -> str | None:
    """The name under which its rows are counted; None for parts of other records."""
    # SQLAlchemy's names are strings of its own kind, which not every writer of JSON takes.
    return None if table is steps else _KINDS.get(table.name, str.__str__(table.name))


def _session_is_gone(table: Table) -> Any:
    there = exists().where(sessions.c.user_id == table.c.user_id, sessions.c.session_id == table.c.session_id)
    return ~there


def _not_held(table: Table) -> tuple[Any, ...]:
    if "session_id" not in table.c:
        return ()
    held = select(sessions.c.session_id).where(
        sessions.c.user_id == bindparam("user"), sessions.c.held_at.is_not(None)
    )
    return (table.c.session_id.not_in(held),)


_BESIDE = tuple(table for table in OWNED if table is not sessions)
_OF_SESSION = tuple(
    _Rows(table, table.c.session_id == bindparam("session")) for table in _BESIDE if "session_id" in table.c
)
_OF_ACCOUNT = tuple(
    _Rows(table, *((_session_is_gone(table),) if "session_id" in table.c else ())) for table in _BESIDE
)
_COUNTS = tuple(
    (
        kind,
        select(func.count())
        .select_from(table)
        .where(table.c.user_id == bindparam("user"), *_not_held(table)),
    )
    for table in OWNED
    if (kind := kind_of(table)) is not None
)


def list_user_sessions(tx: Tx, user_id: str, after: str | None, limit: int) -> KnownSessionPage:
    """See `UserErasure.list_user_sessions`."""
    (begin,) = read_cursor(after, str) if after is not None else ("",)
    rows = tx.execute(_SESSIONS, {"user": user_id, "after": str(begin), "most": limit}).all()
    found = tuple(
        KnownSession(
            key=SessionKey(user_id=user_id, session_id=row.session_id),
            is_deleted=row.deleted_at is not None,
            is_held=row.held_at is not None,
            is_running=row.running_turn_id is not None,
        )
        for row in rows
    )
    is_last = len(found) < limit
    return KnownSessionPage(sessions=found, after=None if is_last else write_cursor(found[-1].key.session_id))


def erase_session(tx: Tx, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
    """See `UserErasure.erase_session`."""
    ids = {"user": key.user_id, "session": key.session_id}
    state = tx.execute(_LOCK, ids).first()
    if state is None:
        return ErasedPart(state="gone")
    if state.deleted_at is None or state.held_at is not None:
        return ErasedPart(state="spared")
    records: Counter[str] = Counter()
    if gone:
        records["versions"] += tx.execute(_REMOVE_VERSIONS, ids | {"gone": gone}).rowcount
    objects = tuple(tx.execute(_OBJECTS, ids | {"most": limit}).scalars())
    if objects:
        return ErasedPart(records=+records, object_keys=objects, state="more")
    turn_ids, is_done = _remove(tx, _OF_SESSION, ids, limit, records)
    if is_done:
        records["sessions"] += tx.execute(_REMOVE_SESSION, ids).rowcount
    return ErasedPart(records=+records, turn_ids=turn_ids, state="gone" if is_done else "more")


def erase_account(tx: Tx, user_id: str, limit: int) -> ErasedPart:
    """See `UserErasure.erase_account`."""
    records: Counter[str] = Counter()
    _, is_done = _remove(tx, _OF_ACCOUNT, {"user": user_id}, limit, records)
    return ErasedPart(records=+records, state="gone" if is_done else "more")


def count_records(tx: Tx, user_id: str) -> dict[str, int]:
    """See `UserErasure.count_records`."""
    found: Counter[str] = Counter()
    for kind, count in _COUNTS:
        found[kind] += tx.execute(count, {"user": user_id}).scalar_one()
    return dict(+found)


def _remove(
    tx: Tx, parts: tuple[_Rows, ...], values: dict[str, Any], limit: int, records: Counter[str]
) -> tuple[tuple[str, ...], bool]:
    """The ids of the turns that went, and whether nothing is left."""
    turn_ids: tuple[str, ...] = ()
    for rows in parts:
        count, gone = rows.remove(tx, values, limit)
        limit -= count
        turn_ids += gone
        if rows.kind is not None:
            records[rows.kind] += count
        if limit <= 0:
            return turn_ids, False
    return turn_ids, True
