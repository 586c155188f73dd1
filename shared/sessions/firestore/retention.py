"""The transactions of `Retention`: files and sessions gone through by id, a few documents a commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from shared.errors import InvalidRequestError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.firestore.artifacts import file_ref
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.sessions import is_live, session_not_found, session_ref
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.retention_port import (
    DeletedSessionPage,
    FilePage,
    FileVersion,
    KeptFile,
    RetentionPolicy,
)

_ENDED = ("completed", "cancelled")
AT_ONCE = 200


async def list_files(runner: Runner, *, after: str | None, limit: int) -> FilePage:
    """See `RetentionStore.list_files`; a file costs a read, one for each version, and its session's.

    Versions of an earlier release get the field by which their objects are found.
    """
    found = await runner.read(partial(_page, collection="files", after=after, limit=limit))
    files = []
    for document in found:
        file, is_marked = await runner.read(partial(_read_file, ref=document))
        if file is not None:
            files.append(file)
        if not is_marked:
            await runner.write(partial(_mark, ref=document), queue=document.id)
    return FilePage(files=tuple(files), after=_place(found, limit))


async def remove_versions(tx: Transaction, *, key: ArtifactKey, policy: RetentionPolicy) -> tuple[str, ...]:
    """See `RetentionStore.remove_versions`."""
    session, document = await tx.get(session_ref(key.session), file_ref(key))
    if not is_live(session) or not document.exists:
        return ()
    versions = await _versions(tx, document)
    file = await _file(tx, session, document, versions)
    gone = set(policy.removable(file)[:AT_ONCE])
    if not gone:
        return ()
    chosen = [version for version in versions if version["version"] in gone]
    objects = tuple(object_of(tx, version) for version in chosen)
    for version in chosen:
        version.delete()
    # Written in any case: a version, a deletion or a hold that comes at this moment makes it begin again.
    session.set(swept_at=to_micros(policy.now))
    document.set(newest=0 if document["newest"] in gone else document["newest"])
    return objects


async def list_deleted_sessions(tx: Transaction, *, after: str | None, limit: int) -> DeletedSessionPage:
    """See `RetentionStore.list_deleted_sessions`; goes through all sessions, so a page may be short."""
    found = await tx.find(_by_id("sessions", after, limit))
    chosen = tuple(
        SessionKey(user_id=from_name(each["user"]), session_id=from_name(each["session"]))
        for each in found
        if each["deleted_at"] is not None and each.get("emptied_at") is None and not is_held(each)
    )
    return DeletedSessionPage(sessions=chosen, after=_place([each.ref for each in found], limit))


async def is_recorded(tx: Transaction, *, object_key: str) -> bool:
    """Whether a version's record names the object."""
    same = ((">=", object_key), ("<=", object_key))
    return bool(await tx.find(Query(collection="versions", order="object", range=same, limit=1)))


async def hold_session(tx: Transaction, *, key: SessionKey, held: bool, now: datetime) -> None:
    """See `RetentionStore.hold_session`."""
    session = await tx.one(session_ref(key))
    if not session.exists or session.get("emptied_at") is not None:
        raise session_not_found()
    if held != is_held(session):
        session.set(held_at=to_micros(now) if held else None)


async def load_place(tx: Transaction, *, name: str) -> str | None:
    """See `WorkPlaces.load_place`."""
    document = await tx.one(_work(name))
    return document["place"] if document.exists else None


async def save_place(tx: Transaction, *, name: str, place: str | None) -> None:
    """See `WorkPlaces.save_place`."""
    document = await tx.one(_work(name))
    if place is not None:
        document.set(place=place)
    elif document.exists:
        document.delete()


def _work(name: str) -> Ref:
    return Ref("work_places", document_id(name))


def _by_id(collection: str, after: str | None, limit: int) -> Query:
    if after is not None and not after.isalnum():
        raise InvalidRequestError("this is no place in the store that an earlier call gave")
    return Query(collection=collection, order="id", range=((">", after or ""),), limit=limit)


def _place(found: Sequence[Ref], limit: int) -> str | None:
    return found[-1].id if len(found) == limit and found else None


async def _page(tx: Transaction, *, collection: str, after: str | None, limit: int) -> list[Ref]:
    return [document.ref for document in await tx.find(_by_id(collection, after, limit))]


async def _read_file(tx: Transaction, *, ref: Ref) -> tuple[KeptFile | None, bool]:
    """The file, and whether its versions are found by their objects."""
    document = await tx.one(ref)
    if not document.exists:
        return None, True
    session, versions = await tx.one(Ref("sessions", document["session"])), await _versions(tx, document)
    is_marked = all(version.get("object") is not None for version in versions)
    return await _file(tx, session, document, versions), is_marked


async def _mark(tx: Transaction, *, ref: Ref) -> None:
    for version in await _versions(tx, await tx.one(ref)):
        if version.get("object") is None:
            version.set(object=object_of(tx, version), created_at=_created_at(tx, version))


async def _versions(tx: Transaction, file: Document) -> list[Document]:
    return await tx.find(
        Query(collection="versions", equal=(("file", file.ref.id),), order="version", descending=True)
    )


async def _file(tx: Transaction, session: Document, document: Document, versions: list[Document]) -> KeptFile:
    key = SessionKey(user_id=from_name(session["user"]), session_id=from_name(session["session"]))
    deleted_at = document["deleted_at"]
    # A file of one version that is there keeps it, whoever saved it: its turn need not be asked.
    asked = versions if len(versions) > 1 or deleted_at is not None else []
    settled = await _settled(tx, session, asked)
    return KeptFile(
        key=ArtifactKey(session=key, filename=from_name(document["name"])),
        newest=document["newest"],
        deleted_at=None if deleted_at is None else from_micros(deleted_at),
        session_deleted=not is_live(session),
        is_held=is_held(session),
        versions=tuple(
            FileVersion(
                version=version["version"],
                created_at=from_micros(_created_at(tx, version)),
                is_settled=version["turn_id"] is None or version["turn_id"] in settled,
            )
            for version in reversed(versions)
        ),
    )


async def _settled(tx: Transaction, session: Document, versions: list[Document]) -> set[str]:
    """The turns of these versions that can no longer be rolled back."""
    names = {version["turn_id"] for version in versions if version["turn_id"] is not None}
    user_id = from_name(session["user"])
    turns = {name: Ref("turns", document_id(user_id, from_name(name))) for name in sorted(names)}
    found = dict(zip(turns, await tx.get(*turns.values()), strict=True)) if turns else {}
    return {
        name
        for name, turn in found.items()
        if turn.exists and (turn["status"] in _ENDED or 0 < turn["number"] < session["next_number"] - 1)
    }


def _created_at(tx: Transaction, version: Document) -> int:
    created: int | None = version.get("created_at")
    return created if created is not None else int(_record(tx, version)["created_at"])


def object_of(tx: Transaction, version: Document) -> str:
    """The object key of the version's bytes."""
    return str(version.get("object") or _record(tx, version)["object_key"])


def _record(tx: Transaction, version: Document) -> dict[str, Any]:
    """What an earlier release kept in the sealed record alone."""
    record: dict[str, Any] = tx.codec.decode(version["record"], from_name(version["user"]))
    return record


def is_held(session: Document) -> bool:
    """Whether a legal hold is on the session."""
    return session.get("held_at") is not None
