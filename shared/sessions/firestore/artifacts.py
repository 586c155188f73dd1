"""The transactions of `ArtifactIndex`: a document a version, and one a file, with its newest record."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, TooLargeError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, file_id, to_name
from shared.sessions.firestore.outbox import hold_events, put_events
from shared.sessions.firestore.sessions import is_live, live_session, session_not_found, session_ref
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.firestore.turn_documents import unfinished_turn
from shared.sessions.outbox_port import OutgoingEvent

# Rolling a turn back removes them in one commit, which takes 500 writes.
MOST_OF_A_TURN = 200


def file_ref(key: ArtifactKey) -> Ref:
    """Where a file's document is."""
    return Ref("files", file_id(key))


async def add_version(
    tx: Transaction, artifact: Artifact, max_files: int, events: tuple[OutgoingEvent, ...]
) -> bool:
    """See `ArtifactIndex.add_version`; a session counts its files, so that writers at once keep the limit.

    Raises:
        SessionConflictError: the turn that saved it was rolled back.
        TooLargeError: also when one turn saves more versions than can be rolled back at once.
    """
    key = artifact.key.session
    session, file = await tx.get(session_ref(key), file_ref(artifact.key))
    if not is_live(session):
        raise session_not_found()
    turn = await unfinished_turn(tx, key, artifact.turn_id)
    if file.exists and artifact.version <= file["highest"]:
        return await _is_recorded(tx, artifact)
    was_kept = file.exists and is_there(file)
    if not was_kept and session["files"] >= max_files:
        raise TooLargeError(f"a session has at most {max_files} files")
    if turn is not None:
        _note(turn, file, artifact.version)
    record = checked(tx.codec.encode(_record(artifact), key.user_id))
    version = (await tx.get_new(_version_ref(artifact.key, artifact.version)))[0]
    version.set(
        user=to_name(key.user_id),
        file=file.ref.id,
        version=artifact.version,
        turn_id=None if artifact.turn_id is None else to_name(artifact.turn_id),
        object=artifact.object_key,
        created_at=to_micros(artifact.created_at),
        record=record,
    )
    file.set(
        user=to_name(key.user_id),
        session=session.ref.id,
        name=to_name(artifact.filename),
        newest=artifact.version,
        highest=artifact.version,
        record=record,
        deleted_at=None,
    )
    if not was_kept:
        session.set(files=session["files"] + 1)
    if turn is None:
        await put_events(tx, session, events, artifact.created_at)
    else:
        hold_events(tx, turn, events, artifact.created_at)
    return True


async def _is_recorded(tx: Transaction, artifact: Artifact) -> bool:
    """Whether the same call recorded the version before: a place in the object store has one writer."""
    version = await tx.one(_version_ref(artifact.key, artifact.version))
    if not version.exists:
        return False
    return _artifact(tx, artifact.key.session, version["record"]).object_key == artifact.object_key


def is_there(file: Document) -> bool:
    """Whether the file has a version and is not deleted."""
    return file["deleted_at"] is None and file["newest"] > 0


async def newest(tx: Transaction, key: ArtifactKey) -> Artifact | None:
    """See `ArtifactIndex.newest`."""
    session, file = await tx.get(session_ref(key.session), file_ref(key))
    if not is_live(session) or not file.exists or not file["newest"]:
        return None
    return _artifact(tx, key.session, file["record"])


async def load_version(tx: Transaction, key: ArtifactKey, version: int | None) -> Artifact:
    """See `ArtifactIndex.load_version`."""
    ref = file_ref(key) if version is None else _version_ref(key, version)
    session, found = await tx.get(session_ref(key.session), ref)
    if not is_live(session):
        raise session_not_found()
    if not found.exists or (version is None and not is_there(found)):
        raise _not_found()
    return _artifact(tx, key.session, found["record"])


async def list_artifacts(tx: Transaction, session: SessionKey) -> tuple[Artifact, ...]:
    """See `ArtifactIndex.list_artifacts`."""
    document = await live_session(tx, session)
    found = await tx.find(Query(collection="files", equal=(("session", document.ref.id),), order="name"))
    kept = [_artifact(tx, session, file["record"]) for file in found if is_there(file)]
    return tuple(sorted(kept, key=lambda artifact: artifact.filename))


async def list_versions(tx: Transaction, key: ArtifactKey) -> tuple[Artifact, ...]:
    """See `ArtifactIndex.list_versions`."""
    await live_session(tx, key.session)
    found = await tx.find(
        Query(collection="versions", equal=(("file", file_id(key)),), order="version", descending=True)
    )
    if not found:
        raise _not_found()
    return tuple(_artifact(tx, key.session, version["record"]) for version in found)


async def delete_artifact(tx: Transaction, key: ArtifactKey, now: datetime) -> None:
    """See `ArtifactIndex.delete_artifact`."""
    session, file = await tx.get(session_ref(key.session), file_ref(key))
    if not is_live(session):
        raise session_not_found()
    if file.exists and file["deleted_at"] == to_micros(now):
        # The same call again.
        return
    if not file.exists or not is_there(file):
        raise _not_found()
    file.set(deleted_at=to_micros(now))
    session.set(files=session["files"] - 1)


async def take_back_versions(tx: Transaction, session: Document, turn: Document) -> None:
    """Takes the versions that a turn saved out of the record; their numbers are not given again."""
    for file_of_turn in sorted({each["file"] for each in turn["versions"]}):
        saved = [each for each in turn["versions"] if each["file"] == file_of_turn]
        file = await tx.one(Ref("files", file_of_turn))
        await _take_back(tx, session, file, saved)


async def _take_back(tx: Transaction, session: Document, file: Document, saved: list[dict[str, Any]]) -> None:
    taken = {each["version"] for each in saved}
    found = await tx.find(
        Query(
            collection="versions",
            equal=(("file", file.ref.id),),
            order="version",
            descending=True,
            # Versions may have come on top, at most this many.
            limit=file["highest"] - min(taken) + 2,
        )
    )
    left = [version for version in found if version["version"] not in taken]
    for version in found:
        if version["version"] in taken:
            version.delete()
    was_there = is_there(file)
    if left:
        file.set(newest=left[0]["version"], record=left[0]["record"])
    else:
        file.set(newest=0)
    if not left or left[0]["version"] < min(taken):
        # Nobody added to the file since: it is deleted if it was before.
        file.set(deleted_at=saved[0]["revived"] or file["deleted_at"])
    session.set(files=session["files"] - was_there + is_there(file))


def _note(turn: Document, file: Document, version: int) -> None:
    """Notes in the turn what a rollback has to take back."""
    if len(turn["versions"]) >= MOST_OF_A_TURN:
        raise TooLargeError(f"a turn saves at most {MOST_OF_A_TURN} versions")
    revived = file["deleted_at"] if file.exists else None
    turn.set(versions=[*turn["versions"], {"file": file.ref.id, "version": version, "revived": revived}])


def _version_ref(key: ArtifactKey, version: int) -> Ref:
    return Ref("versions", document_id(file_id(key), str(version)))


def _not_found() -> ArtifactNotFoundError:
    return ArtifactNotFoundError("there is no such file, or not this version of it, in the session")


def _record(artifact: Artifact) -> dict[str, Any]:
    record = asdict(artifact)
    del record["key"]
    record["created_at"] = to_micros(artifact.created_at)
    record["filename"] = artifact.filename
    return record


def _artifact(tx: Transaction, session: SessionKey, stored: bytes) -> Artifact:
    record = tx.codec.decode(stored, session.user_id)
    filename = record.pop("filename")
    known = {name: record[name] for name in Artifact.__dataclass_fields__ if name in record}
    known["created_at"] = from_micros(record["created_at"])
    known["findings"] = tuple(record["findings"])
    return Artifact(key=ArtifactKey(session=session, filename=filename), **known)
