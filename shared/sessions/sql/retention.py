"""The transactions of `Retention`: files gone through by their key, a session's row held for each change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    select,
    tuple_,
    update,
)

from shared.keys import ArtifactKey, SessionKey
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.retention_port import (
    DeletedSessionPage,
    EmptiedSession,
    FilePage,
    FileVersion,
    KeptFile,
    RetentionPolicy,
)
from shared.sessions.sql.columns import AnyRow, Name, from_micros, optional_time, to_micros
from shared.sessions.sql.schema import (
    artifact_versions,
    artifacts,
    bot_events,
    bot_facts,
    deployments,
    held_events,
    idempotency,
    outbox,
    sessions,
    tool_calls,
    turns,
    waiting_turns,
    work_places,
)
from shared.sessions.sql.sessions import session_not_found
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

_ENDED = ("completed", "cancelled")
_FILE = (artifacts.c.user_id, artifacts.c.session_id, artifacts.c.filename)
_VERSION_FILE = (
    artifact_versions.c.user_id,
    artifact_versions.c.session_id,
    artifact_versions.c.filename,
)
_MOST = bindparam("most", type_=Integer)
_FILES = select(*_FILE, artifacts.c.newest, artifacts.c.deleted_at).order_by(*_FILE).limit(_MOST)
_FILES_AFTER = _FILES.where(
    tuple_(*_FILE) > tuple_(*(bindparam(f"after_{name}", type_=Name) for name in ("user", "session", "name")))
)
_THIS_FILE = and_(
    artifacts.c.user_id == bindparam("user"),
    artifacts.c.session_id == bindparam("session"),
    artifacts.c.filename == bindparam("name"),
)
_ONE_FILE = select(*_FILE, artifacts.c.newest, artifacts.c.deleted_at).where(_THIS_FILE)
_THIS_SESSION = and_(sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
_STATE = (sessions.c.deleted_at, sessions.c.held_at, sessions.c.emptied_at)
_LOCK = select(*_STATE).where(_THIS_SESSION).with_for_update(key_share=True)
# Also kept from those who take in an event for the session at this moment (bot_events.py).
_LOCK_ALL = select(*_STATE).where(_THIS_SESSION).with_for_update()
_REMOVE = delete(artifact_versions).where(
    *(
        column == bindparam(name)
        for column, name in zip(_VERSION_FILE, ("user", "session", "name"), strict=True)
    ),
    artifact_versions.c.version.in_(bindparam("numbers", expanding=True)),
)
_OBJECTS = select(artifact_versions.c.object_key).where(*_REMOVE._where_criteria)
_NONE_LEFT = update(artifacts).where(_THIS_FILE).values(newest=0)
_DELETED = (
    select(sessions.c.user_id, sessions.c.session_id)
    .where(sessions.c.deleted_at.is_not(None), sessions.c.emptied_at.is_(None), sessions.c.held_at.is_(None))
    .order_by(sessions.c.user_id, sessions.c.session_id)
    .limit(_MOST)
)
_DELETED_AFTER = _DELETED.where(
    tuple_(sessions.c.user_id, sessions.c.session_id)
    > tuple_(bindparam("after_user", type_=Name), bindparam("after_session", type_=Name))
)
_SOME_VERSIONS = (
    select(artifact_versions.c.filename, artifact_versions.c.version, artifact_versions.c.object_key)
    .where(
        artifact_versions.c.user_id == bindparam("user"),
        artifact_versions.c.session_id == bindparam("session"),
    )
    .order_by(artifact_versions.c.filename, artifact_versions.c.version)
    .limit(_MOST)
)
_EMPTY = (
    update(sessions)
    .where(_THIS_SESSION)
    .values(
        title=bindparam("no_title"),
        context=bindparam("no_context"),
        summary=None,
        summary_through=0,
        has_facts=False,
        emptied_at=bindparam("now"),
    )
)
_HOLD = update(sessions).where(_THIS_SESSION).values(held_at=bindparam("since"))
_RECORDED = select(artifact_versions.c.object_key).where(
    artifact_versions.c.object_key.in_(bindparam("object_keys", expanding=True))
)
_PLACE = select(work_places.c.place).where(work_places.c.name == bindparam("work"))
_FORGET = delete(work_places).where(work_places.c.name == bindparam("work"))


def _put_place(database_insert: Any) -> Any:
    new = database_insert(work_places)
    return new.on_conflict_do_update(index_elements=["name"], set_={"place": new.excluded.place})


_PUT_PLACE = upsert(_put_place)


def _of_session(table: Table) -> Any:
    return delete(table).where(
        table.c.user_id == bindparam("user"), table.c.session_id == bindparam("session")
    )


# Steps go with their turns. An event that is not yet published is on its way, and goes when it was.
_OF_SESSION = (
    *map(_of_session, (waiting_turns, turns, artifacts, tool_calls, deployments, held_events, idempotency)),
    *map(_of_session, (bot_events, bot_facts)),
    _of_session(outbox).where(outbox.c.published_at.is_not(None)),
)


def list_files(tx: Tx, after: str | None, limit: int) -> FilePage:
    """See `RetentionStore.list_files`."""
    values: dict[str, Any] = {"most": limit}
    statement = _FILES
    if after is not None:
        user, session, name = (str(each) for each in read_cursor(after, str, str, str))
        statement = _FILES_AFTER
        values |= {"after_user": user, "after_session": session, "after_name": name}
    # Read at once, the versions with their files: two looks could see two moments.
    files = _read_files(tx, statement, values)
    if len(files) < limit:
        return FilePage(files=files, after=None)
    last = files[-1].key
    place = write_cursor(last.session.user_id, last.session.session_id, last.filename)
    return FilePage(files=files, after=place)


def remove_versions(tx: Tx, key: ArtifactKey, policy: RetentionPolicy) -> tuple[str, ...]:
    """See `RetentionStore.remove_versions`."""
    ids = {"user": key.session.user_id, "session": key.session.session_id, "name": key.filename}
    # Held until the end: no turn of the session is rolled back, no version added meanwhile.
    if tx.execute(_LOCK, _ids(key.session)).first() is None:
        return ()
    found = _read_files(tx, _ONE_FILE, ids)
    gone = policy.removable(found[0]) if found else ()
    if not gone:
        return ()
    chosen = ids | {"numbers": gone}
    objects = tuple(tx.execute(_OBJECTS, chosen).scalars())
    tx.execute(_REMOVE, chosen)
    if found[0].newest in gone:
        tx.execute(_NONE_LEFT, ids)
    return objects


def list_deleted_sessions(tx: Tx, after: str | None, limit: int) -> DeletedSessionPage:
    """See `RetentionStore.list_deleted_sessions`."""
    if after is None:
        rows = tx.execute(_DELETED, {"most": limit}).all()
    else:
        user, session = (str(each) for each in read_cursor(after, str, str))
        rows = tx.execute(_DELETED_AFTER, {"most": limit, "after_user": user, "after_session": session}).all()
    found = tuple(SessionKey(user_id=row.user_id, session_id=row.session_id) for row in rows)
    is_last = len(found) < limit
    place = None if is_last else write_cursor(found[-1].user_id, found[-1].session_id)
    return DeletedSessionPage(sessions=found, after=place)


def empty_session(tx: Tx, key: SessionKey, now: datetime, limit: int) -> EmptiedSession:
    """See `RetentionStore.empty_session`."""
    ids = _ids(key)
    state = tx.execute(_LOCK_ALL, ids).first()
    if state is None or state.emptied_at is not None:
        return EmptiedSession(object_keys=(), state="empty")
    if state.deleted_at is None or state.held_at is not None:
        return EmptiedSession(object_keys=(), state="spared")
    some = tx.execute(_SOME_VERSIONS, ids | {"most": limit}).all()
    for filename, rows in groupby(some, key=lambda row: row.filename):
        tx.execute(_REMOVE, ids | {"name": filename, "numbers": [row.version for row in rows]})
    is_done = len(some) < limit
    if is_done:
        for statement in _OF_SESSION:
            tx.execute(statement, ids)
        blank = {
            "no_title": tx.codec.encode("", key.user_id),
            "no_context": tx.codec.encode({}, key.user_id),
        }
        tx.execute(_EMPTY, ids | blank | {"now": to_micros(now)})
    objects = tuple(row.object_key for row in some)
    return EmptiedSession(object_keys=objects, state="empty" if is_done else "more")


def recorded_objects(tx: Tx, object_keys: tuple[str, ...]) -> frozenset[str]:
    """See `RetentionStore.recorded_objects`."""
    return (
        frozenset(tx.execute(_RECORDED, {"object_keys": object_keys}).scalars())
        if object_keys
        else frozenset()
    )


def hold_session(tx: Tx, key: SessionKey, held: bool, now: datetime) -> None:
    """See `RetentionStore.hold_session`."""
    state = tx.execute(_LOCK, _ids(key)).first()
    if state is None or state.emptied_at is not None:
        raise session_not_found()
    if held != (state.held_at is not None):
        tx.execute(_HOLD, _ids(key) | {"since": to_micros(now) if held else None})


def load_place(tx: Tx, name: str) -> str | None:
    """See `WorkPlaces.load_place`."""
    found: str | None = tx.execute(_PLACE, {"work": name}).scalar()
    return found


def save_place(tx: Tx, name: str, place: str | None) -> None:
    """See `WorkPlaces.save_place`."""
    if place is None:
        tx.execute(_FORGET, {"work": name})
    else:
        tx.execute(_PUT_PLACE(tx), {"name": name, "place": place})


def _read_files(tx: Tx, files: Select[Any], values: dict[str, Any]) -> tuple[KeptFile, ...]:
    chosen = files.subquery()
    version = artifact_versions
    rows = tx.execute(
        select(
            *chosen.c,
            *(column.label(f"session_{column.name}") for column in _STATE),
            version.c.version,
            version.c.created_at,
            version.c.turn_id,
            turns.c.status,
            turns.c.number,
            sessions.c.next_turn_number,
        )
        .select_from(chosen)
        .join(
            sessions,
            and_(sessions.c.user_id == chosen.c.user_id, sessions.c.session_id == chosen.c.session_id),
        )
        .outerjoin(
            version,
            and_(*(left == right for left, right in zip(_VERSION_FILE, list(chosen.c)[:3], strict=True))),
        )
        .outerjoin(turns, and_(turns.c.user_id == chosen.c.user_id, turns.c.turn_id == version.c.turn_id))
        .order_by(chosen.c.user_id, chosen.c.session_id, chosen.c.filename, version.c.version),
        values,
    ).all()
    grouped = groupby(rows, key=lambda row: (row.user_id, row.session_id, row.filename))
    return tuple(_file(list(each)) for _, each in grouped)


def _file(rows: Sequence[AnyRow]) -> KeptFile:
    first = rows[0]
    session = SessionKey(user_id=first.user_id, session_id=first.session_id)
    return KeptFile(
        key=ArtifactKey(session=session, filename=first.filename),
        newest=first.newest,
        deleted_at=optional_time(first.deleted_at),
        session_deleted=first.session_deleted_at is not None,
        is_held=first.session_held_at is not None,
        versions=tuple(_versions(rows)),
    )


def _versions(rows: Iterable[AnyRow]) -> Iterable[FileVersion]:
    for row in rows:
        if row.version is not None:
            gone_on = row.number is not None and row.number + 1 < row.next_turn_number
            yield FileVersion(
                version=row.version,
                created_at=from_micros(row.created_at),
                is_settled=row.turn_id is None or row.status in _ENDED or gone_on,
            )


def _ids(key: SessionKey) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id}
