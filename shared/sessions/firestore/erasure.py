"""The transactions of `UserErasure`: a few documents a commit, those of a session while it may be erased."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Literal

from shared.errors import InvalidRequestError
from shared.keys import SessionKey
from shared.sessions.erasure_port import ErasedPart, KnownSession, KnownSessionPage
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.collections import OF_ACCOUNT, OF_SESSION, TURNS, of_user
from shared.sessions.firestore.names import document_id, from_name, session_id
from shared.sessions.firestore.removal import Removal
from shared.sessions.firestore.retention import AT_ONCE, is_held, object_of
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.sessions import is_live, session_ref
from shared.sessions.firestore.transaction import Document, Transaction

_PAGE = 200


async def list_user_sessions(
    tx: Transaction, *, user_id: str, after: str | None, limit: int
) -> KnownSessionPage:
    """See `UserErasure.list_user_sessions`; in the order of their documents' ids."""
    if after is not None and not after.isalnum():
        raise InvalidRequestError("this is no place in the store that an earlier call gave")
    found = await tx.find(
        Query(
            collection="sessions",
            equal=(("owner", document_id(user_id)),),
            order="id",
            range=((">", after or ""),),
            limit=limit,
        )
    )
    known = tuple(
        KnownSession(
            key=SessionKey(user_id=user_id, session_id=from_name(each["session"])),
            is_deleted=not is_live(each),
            is_held=is_held(each),
            is_running=each["running"] is not None,
        )
        for each in found
    )
    return KnownSessionPage(sessions=known, after=found[-1].ref.id if len(found) == limit else None)


async def erase_session(runner: Runner, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
    """See `UserErasure.erase_session`."""
    state = await runner.read(partial(_state, key=key))
    if state != "more":
        return ErasedPart(state=state)
    most = min(limit, AT_ONCE)
    queue = session_id(key)
    part = await runner.write(partial(_files, key=key, gone=frozenset(gone), most=most), queue=queue)
    if part.state != "gone":
        return part
    records = Counter(part.records)
    removal = Removal(runner, key, _may_go)
    for kind in OF_SESSION:
        removed = await removal.some(kind.query(queue, most))
        if removed:
            records[kind.kind] += len(removed)
            turns = (each.turn_id for each in removed if kind is TURNS)
            turn_ids = tuple(from_name(turn) for turn in turns if turn is not None)
            return ErasedPart(records=+records, turn_ids=turn_ids, state="more")
    records["sessions"] += await runner.write(partial(_remove_session, key=key), queue=queue)
    return ErasedPart(records=+records, state=await runner.read(partial(_state, key=key)))


async def erase_account(runner: Runner, *, user_id: str, limit: int) -> ErasedPart:
    """See `UserErasure.erase_account`."""
    most = min(limit, AT_ONCE)
    for collection, kind in OF_ACCOUNT.items():
        work = partial(_remove_found, query=of_user(collection, user_id, most))
        removed = await runner.write(work, queue=f"erasure {document_id(user_id)}")
        if removed:
            return ErasedPart(records={kind: removed}, state="more")
    return ErasedPart(state="gone")


async def count_records(runner: Runner, *, user_id: str) -> dict[str, int]:
    """See `UserErasure.count_records`; session by session, a read each kind, and one each file."""
    records: Counter[str] = Counter()
    after: str | None = None
    while True:
        page = await runner.read(partial(list_user_sessions, user_id=user_id, after=after, limit=_PAGE))
        for session in page.sessions:
            if not session.is_held:
                records += await runner.read(partial(_count_session, key=session.key))
        after = page.after
        if after is None:
            break
    for collection, kind in OF_ACCOUNT.items():
        records[kind] += await runner.read(partial(_count, query=of_user(collection, user_id)))
    return dict(+records)


async def _state(tx: Transaction, *, key: SessionKey) -> Literal["more", "gone", "spared"]:
    session = await tx.one(session_ref(key))
    if not session.exists:
        return "gone"
    return "more" if _may_go(session) else "spared"


def _may_go(session: Document) -> bool:
    return session.exists and session["deleted_at"] is not None and not is_held(session)


async def _files(tx: Transaction, *, key: SessionKey, gone: frozenset[str], most: int) -> ErasedPart:
    """Removes versions whose bytes are gone, and files without any; "gone" when no file is left."""
    if not _may_go(await tx.one(session_ref(key))):
        return ErasedPart(state="spared")
    records: Counter[str] = Counter()
    objects: list[str] = []
    files = await tx.find(_files_of(key, most))
    for file in files:
        versions = await tx.find(_versions_of(file.ref, most))
        named = [(version, object_of(tx, version)) for version in versions]
        for version, object_key in named:
            if object_key in gone:
                version.delete()
        left = [object_key for _, object_key in named if object_key not in gone]
        records["versions"] += len(named) - len(left)
        if not left and len(versions) < most:
            file.delete()
            records["files"] += 1
        objects += left
        if len(objects) >= most or records["versions"] >= most:
            return ErasedPart(records=+records, object_keys=tuple(objects[:most]), state="more")
    is_done = not objects and len(files) < most
    return ErasedPart(
        records=+records, object_keys=tuple(objects[:most]), state="gone" if is_done else "more"
    )


async def _remove_session(tx: Transaction, *, key: SessionKey) -> int:
    session = await tx.one(session_ref(key))
    if not _may_go(session):
        return 0
    session.delete()
    return 1


async def _remove_found(tx: Transaction, *, query: Query) -> int:
    found = await tx.find(query)
    for document in found:
        document.delete()
    return len(found)


async def _count_session(tx: Transaction, *, key: SessionKey) -> Counter[str]:
    records = Counter({"sessions": 1})
    for kind in OF_SESSION:
        records[kind.kind] += await tx.count(kind.query(session_id(key)))
    for file in await tx.find(_files_of(key, None)):
        records["files"] += 1
        records["versions"] += await tx.count(_versions_of(file.ref, None))
    return records


async def _count(tx: Transaction, *, query: Query) -> int:
    return await tx.count(query)


def _files_of(key: SessionKey, limit: int | None) -> Query:
    return Query(collection="files", equal=(("session", session_id(key)),), order="name", limit=limit)


def _versions_of(file: Ref, limit: int | None) -> Query:
    return Query(
        collection="versions", equal=(("file", file.id),), order="version", descending=True, limit=limit
    )
