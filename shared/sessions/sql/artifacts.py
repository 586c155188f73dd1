"""The transactions of `ArtifactIndex`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Insert, and_, bindparam, case, delete, func, insert, select, update

from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, TooLargeError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.codec import Codec
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.sql.columns import AnyRow, from_micros, to_micros
from shared.sessions.sql.outbox import add_events, check_not_rolled_back, hold_events
from shared.sessions.sql.prepared import Prepared
from shared.sessions.sql.schema import artifact_versions, artifacts, sessions
from shared.sessions.sql.sessions import check_session, hold_session, lock_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

_FILES = (artifacts.c.user_id == bindparam("user"), artifacts.c.session_id == bindparam("session"))
_THIS_FILE = (*_FILES, artifacts.c.filename == bindparam("name"))
_KEPT = and_(artifacts.c.deleted_at.is_(None), artifacts.c.newest > 0)
_IS_THIS = artifacts.c.filename == bindparam("name")
_STATE = Prepared(
    select(
        func.count(case((_KEPT, 1))).label("files"),
        # Two columns: a process of an earlier release moves the newest alone.
        func.max(case((_IS_THIS, artifacts.c.newest))).label("newest"),
        func.max(case((_IS_THIS, artifacts.c.highest))).label("highest"),
        func.max(case((_IS_THIS, artifacts.c.deleted_at))).label("deleted_at"),
        func.count(case((and_(_IS_THIS, _KEPT), 1))).label("kept"),
    ).where(*_FILES)
)
_PLACE_OF = select(artifact_versions.c.object_key).where(
    artifact_versions.c.user_id == bindparam("user"),
    artifact_versions.c.session_id == bindparam("session"),
    artifact_versions.c.filename == bindparam("name"),
    artifact_versions.c.version == bindparam("number"),
)
_ADD_VERSION = Prepared(insert(artifact_versions))
_DELETE = update(artifacts).where(*_THIS_FILE, _KEPT).values(deleted_at=bindparam("now"))
_OF_TURN = (
    artifact_versions.c.user_id == bindparam("user"),
    artifact_versions.c.session_id == bindparam("session"),
    artifact_versions.c.turn_id == bindparam("turn"),
)
_SAVED_BY = (
    select(artifact_versions.c.filename, artifact_versions.c.revived_from)
    .where(*_OF_TURN)
    .order_by(artifact_versions.c.version)
)
_REMOVE = delete(artifact_versions).where(*_OF_TURN)
_LEFT = (
    select(func.coalesce(func.max(artifact_versions.c.version), 0))
    .where(
        artifact_versions.c.user_id == artifacts.c.user_id,
        artifact_versions.c.session_id == artifacts.c.session_id,
        artifact_versions.c.filename == artifacts.c.filename,
    )
    .scalar_subquery()
)
_POINT_BACK = (
    update(artifacts)
    .where(*_THIS_FILE)
    .values(
        newest=_LEFT,
        deleted_at=func.coalesce(artifacts.c.deleted_at, bindparam("deleted", type_=BigInteger)),
    )
)
_OF_FILE = (
    (artifact_versions.c.user_id == artifacts.c.user_id)
    & (artifact_versions.c.session_id == artifacts.c.session_id)
    & (artifact_versions.c.filename == artifacts.c.filename)
)
_OF_SESSION = (
    (sessions.c.user_id == artifacts.c.user_id)
    & (sessions.c.session_id == artifacts.c.session_id)
    & sessions.c.deleted_at.is_(None)
)
# The others are in the question.
_TOLD = [column for column in artifact_versions.c if column.name not in ("user_id", "session_id")]
_RECORDS = select(*_TOLD).join_from(artifacts, artifact_versions, _OF_FILE).join(sessions, _OF_SESSION)
_IS_NEWEST = artifact_versions.c.version == artifacts.c.newest
_NEWEST = Prepared(_RECORDS.where(*_THIS_FILE, _IS_NEWEST))
_CURRENT = Prepared(_RECORDS.where(*_THIS_FILE, _IS_NEWEST, _KEPT))
_VERSION = Prepared(_RECORDS.where(*_THIS_FILE, artifact_versions.c.version == bindparam("number")))
_VERSIONS = Prepared(_RECORDS.where(*_THIS_FILE).order_by(artifact_versions.c.version.desc()))
_LIST = Prepared(_RECORDS.where(*_FILES, _IS_NEWEST, _KEPT).order_by(artifacts.c.filename))


def _point_to(database_insert: Any) -> Insert:
    new = database_insert(artifacts)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id", "filename"],
        set_={"newest": new.excluded.newest, "highest": new.excluded.highest, "deleted_at": None},
    )
    return statement


_POINT_TO = Prepared(upsert(_point_to))


def add_version(tx: Tx, artifact: Artifact, max_files: int, events: tuple[OutgoingEvent, ...]) -> bool:
    """See `ArtifactIndex.add_version`; the session's row is held, so that the count of files is true."""
    key = artifact.key.session
    running_turn_id = hold_session(tx, key)
    state = _STATE.first(tx, _ids(artifact.key))
    if artifact.version <= max(state.newest or 0, state.highest or 0):
        return _is_recorded(tx, artifact)
    if not state.kept and state.files >= max_files:
        raise TooLargeError(f"a session has at most {max_files} files")
    check_not_rolled_back(tx, key, running_turn_id, artifact.turn_id)
    place = {"user_id": key.user_id, "session_id": key.session_id, "filename": artifact.filename}
    _POINT_TO.run(tx, place | {"newest": artifact.version, "highest": artifact.version})
    revived = {"revived_from": state.deleted_at}
    _ADD_VERSION.run(tx, place | _values(tx.codec, artifact) | revived)
    if artifact.turn_id is not None and artifact.turn_id == running_turn_id:
        hold_events(tx, key, events, artifact.created_at)
    else:
        add_events(tx, key, events, artifact.created_at)
    return True


def remove_versions(tx: Tx, key: SessionKey, turn_id: str) -> None:
    """Removes what the turn saved; each file points to what is left, deleted again if it was before."""
    values = {"user": key.user_id, "session": key.session_id, "turn": turn_id}
    first: dict[str, int | None] = {}
    for row in tx.execute(_SAVED_BY, values).all():
        first.setdefault(row.filename, row.revived_from)
    if not first:
        return
    tx.execute(_REMOVE, values)
    for filename, deleted_at in first.items():
        this = {"user": key.user_id, "session": key.session_id, "name": filename}
        tx.execute(_POINT_BACK, this | {"deleted": deleted_at})


def _is_recorded(tx: Tx, artifact: Artifact) -> bool:
    """Whether the same call recorded the version before: a place in the object store has one writer."""
    found = tx.execute(_PLACE_OF, _ids(artifact.key) | {"number": artifact.version}).scalar()
    return found == artifact.object_key


def newest(tx: Tx, key: ArtifactKey) -> Artifact | None:
    """See `ArtifactIndex.newest`."""
    row = _NEWEST.first(tx, _ids(key))
    return None if row is None else _artifact(tx.codec, key.session, row)


def load_version(tx: Tx, key: ArtifactKey, version: int | None) -> Artifact:
    """See `ArtifactIndex.load_version`."""
    statement = _CURRENT if version is None else _VERSION
    row = statement.first(tx, _ids(key) | {"number": version})
    if row is None:
        raise _missing(tx, key)
    return _artifact(tx.codec, key.session, row)


def list_artifacts(tx: Tx, session: SessionKey) -> tuple[Artifact, ...]:
    """See `ArtifactIndex.list_artifacts`."""
    rows = _LIST.all(tx, {"user": session.user_id, "session": session.session_id})
    if not rows:
        check_session(tx, session)
    return tuple(_artifact(tx.codec, session, row) for row in rows)


def list_versions(tx: Tx, key: ArtifactKey) -> tuple[Artifact, ...]:
    """See `ArtifactIndex.list_versions`."""
    rows = _VERSIONS.all(tx, _ids(key))
    if not rows:
        raise _missing(tx, key)
    return tuple(_artifact(tx.codec, key.session, row) for row in rows)


def delete_artifact(tx: Tx, key: ArtifactKey, now: datetime) -> None:
    """See `ArtifactIndex.delete_artifact`."""
    lock_session(tx, key.session)
    if tx.execute(_DELETE, _ids(key) | {"now": to_micros(now)}).rowcount:
        return
    # A repeat of the same call finds what it did.
    if _STATE.first(tx, _ids(key)).deleted_at != to_micros(now):
        raise _missing(tx, key)


def _missing(tx: Tx, key: ArtifactKey) -> ArtifactNotFoundError:
    check_session(tx, key.session)
    return ArtifactNotFoundError("there is no such file, or not this version of it, in the session")


def _ids(key: ArtifactKey) -> dict[str, Any]:
    return {"user": key.session.user_id, "session": key.session.session_id, "name": key.filename}


def _values(codec: Codec, artifact: Artifact) -> dict[str, Any]:
    return {
        "version": artifact.version,
        "type": artifact.type,
        "mime_type": artifact.mime_type,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "object_key": artifact.object_key,
        "quality_score": artifact.quality_score,
        "findings": codec.encode(artifact.findings, artifact.key.session.user_id),
        "created_at": to_micros(artifact.created_at),
        "turn_id": artifact.turn_id,
    }


def _artifact(codec: Codec, session: SessionKey, row: AnyRow) -> Artifact:
    return Artifact(
        key=ArtifactKey(session=session, filename=row.filename),
        version=row.version,
        type=row.type,
        mime_type=row.mime_type,
        size=row.size,
        sha256=row.sha256,
        created_at=from_micros(row.created_at),
        object_key=row.object_key,
        quality_score=row.quality_score,
        turn_id=row.turn_id,
        findings=tuple(codec.decode(row.findings, session.user_id)),
    )
