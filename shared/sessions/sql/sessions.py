"""The transactions of `SessionStore`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, select, tuple_, update

from shared.errors import SessionConflictError, SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.codec import Codec
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.merge_patch import merge_patch
from shared.sessions.page import Page
from shared.sessions.sql.bot_facts import with_derived
from shared.sessions.sql.columns import AnyRow, Name, from_micros, to_micros
from shared.sessions.sql.prepared import Prepared
from shared.sessions.sql.schema import sessions
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

_END_OF_TIME = 2**63 - 1

COLUMNS = (
    sessions.c.title,
    sessions.c.context,
    sessions.c.created_at,
    sessions.c.updated_at,
    sessions.c.revision,
    sessions.c.is_active,
    sessions.c.has_facts,
)


def is_session(user_id: Any, session_id: Any) -> tuple[ColumnElement[bool], ...]:
    """The condition for one session that is not deleted."""
    return (
        sessions.c.user_id == user_id,
        sessions.c.session_id == session_id,
        sessions.c.deleted_at.is_(None),
    )


_THIS = is_session(bindparam("user"), bindparam("session"))
_CREATE = upsert(
    lambda insert: (
        insert(sessions)
        .on_conflict_do_nothing(index_elements=["user_id", "session_id"])
        .returning(sessions.c.revision)
    )
)
_LOAD = select(*COLUMNS).where(*_THIS)
_LOCK = select(*COLUMNS, sessions.c.running_turn_id).where(*_THIS).with_for_update(key_share=True)
_HOLD = Prepared(select(sessions.c.running_turn_id).where(*_THIS).with_for_update(key_share=True))
_EXISTS = select(sessions.c.revision).where(*_THIS)
_CHANGED = {"revision": sessions.c.revision + 1, "updated_at": bindparam("now")}
_RETITLE = (
    update(sessions)
    .where(*_THIS)
    .values(title=bindparam("new_title"), untitled=bindparam("new_untitled"), **_CHANGED)
    .returning(*COLUMNS)
)
_SET_CONTEXT = (
    update(sessions).where(*_THIS).values(context=bindparam("new_context"), **_CHANGED).returning(*COLUMNS)
)
_LIST = (
    select(sessions.c.session_id, *COLUMNS)
    .where(
        sessions.c.user_id == bindparam("user"),
        sessions.c.deleted_at.is_(None),
        tuple_(sessions.c.updated_at, sessions.c.session_id)
        < tuple_(bindparam("before", type_=BigInteger), bindparam("before_id", type_=Name)),
    )
    .order_by(sessions.c.updated_at.desc(), sessions.c.session_id.desc())
    .limit(bindparam("rows"))
)


def session_of(codec: Codec, key: SessionKey, row: AnyRow) -> Session:
    """The session a row with `COLUMNS` holds, without what its events tell."""
    return Session(
        key=key,
        title=codec.decode(row.title, key.user_id),
        context=codec.decode(row.context, key.user_id),
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        revision=row.revision,
        is_active=row.is_active,
    )


def session_not_found() -> SessionNotFoundError:
    """The error for a session that is not there, or not this user's."""
    return SessionNotFoundError("there is no such session")


def check_session(tx: Tx, key: SessionKey) -> None:
    """Returns when the session exists; raises SessionNotFoundError."""
    if tx.execute(_EXISTS, _ids(key)).first() is None:
        raise session_not_found()


def lock_session(tx: Tx, key: SessionKey) -> AnyRow:
    """Holds the session's row until the transaction ends, and gives it: `COLUMNS` and `running_turn_id`.

    Raises:
        SessionNotFoundError: there is none.
    """
    row = tx.execute(_LOCK, _ids(key)).first()
    if row is None:
        raise session_not_found()
    return row


def hold_session(tx: Tx, key: SessionKey) -> str | None:
    """Holds the session's row as `lock_session` does; gives only its running turn."""
    row = _HOLD.first(tx, _ids(key))
    if row is None:
        raise session_not_found()
    running_turn_id: str | None = row.running_turn_id
    return running_turn_id


def create_session(tx: Tx, key: SessionKey, title: str, context: dict[str, Any], now: datetime) -> Session:
    """See `SessionStore.create_session`."""
    micros = to_micros(now)
    values = {
        "user_id": key.user_id,
        "session_id": key.session_id,
        "title": tx.codec.encode(title, key.user_id),
        "untitled": not title,
        "context": tx.codec.encode(context, key.user_id),
        "revision": 1,
        "created_at": micros,
        "updated_at": micros,
        "is_active": True,
        "lease_token": 0,
        "next_turn_number": 1,
    }
    wanted = Session(key=key, title=title, context=context, created_at=now, updated_at=now, revision=1)
    if tx.execute(_CREATE(tx), values).first() is None and not _is_there(tx, wanted):
        raise SessionConflictError("there is a session of this id already")
    return wanted


def _is_there(tx: Tx, wanted: Session) -> bool:
    """Whether the same call made the session before, and nothing has touched it since."""
    row = tx.execute(_LOAD, _ids(wanted.key)).first()
    if row is None:
        return False
    # In their stored form: what is no JSON number comes back as null.
    codec, user_id = tx.codec, wanted.key.user_id
    context = codec.decode(codec.encode(wanted.context, user_id), user_id)
    return session_of(codec, wanted.key, row) == replace(wanted, context=context)


def load_session(tx: Tx, key: SessionKey) -> Session:
    """See `SessionStore.load_session`."""
    return _changed(tx, key, tx.execute(_LOAD, _ids(key)).first())


def list_sessions(tx: Tx, user_id: str, limit: int, cursor: str | None) -> Page[Session]:
    """See `SessionStore.list_sessions`."""
    before, before_id = read_cursor(cursor, int, str) if cursor else (_END_OF_TIME, "")
    values = {"user": user_id, "before": before, "before_id": before_id, "rows": limit + 1}
    rows = tx.execute(_LIST, values).all()
    items = tuple(
        session_of(tx.codec, SessionKey(user_id=user_id, session_id=row.session_id), row)
        for row in rows[:limit]
    )
    if len(rows) <= limit:
        return Page(items=items)
    last = rows[limit - 1]
    return Page(items=items, next_cursor=write_cursor(last.updated_at, last.session_id))


def set_title(tx: Tx, key: SessionKey, title: str, now: datetime) -> Session:
    """See `SessionStore.set_title`; what is there already, since this very moment, is a repeat."""
    row = lock_session(tx, key)
    before = session_of(tx.codec, key, row)
    if before.updated_at == now and before.title == title:
        return with_derived(tx, before, row)
    values = {"new_title": tx.codec.encode(title, key.user_id), "new_untitled": not title}
    return _changed(tx, key, tx.execute(_RETITLE, _ids(key) | values | {"now": to_micros(now)}).first())


def patch_context(tx: Tx, key: SessionKey, patch: dict[str, Any], now: datetime) -> Session:
    """See `SessionStore.patch_context`; what changes nothing, since this very moment, is a repeat."""
    row = lock_session(tx, key)
    before = session_of(tx.codec, key, row)
    stored = tx.codec.encode(merge_patch(before.context, patch), key.user_id)
    if before.updated_at == now and tx.codec.decode(stored, key.user_id) == before.context:
        return with_derived(tx, before, row)
    values = {"new_context": stored, "now": to_micros(now)}
    return _changed(tx, key, tx.execute(_SET_CONTEXT, _ids(key) | values).first())


def _changed(tx: Tx, key: SessionKey, row: AnyRow | None) -> Session:
    if row is None:
        raise session_not_found()
    return with_derived(tx, session_of(tx.codec, key, row), row)


def _ids(key: SessionKey) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id}
