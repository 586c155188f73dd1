"""How a deleted session is emptied, a few documents a commit, each on condition that it is still to be."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Literal

from shared.keys import SessionKey
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import session_id
from shared.sessions.firestore.retention import AT_ONCE, is_held, object_of
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.sessions import session_ref
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.retention_port import EmptiedSession


async def empty_session(runner: Runner, *, key: SessionKey, now: datetime, limit: int) -> EmptiedSession:
    """See `RetentionStore.empty_session`; tool calls and idempotency keys go by their own time, in a day."""
    most = min(limit, AT_ONCE)
    state = await runner.read(partial(_state, key=key))
    if state != "more":
        return EmptiedSession(object_keys=(), state=state)
    removed, is_more = await runner.write(partial(_remove_files, key=key, most=most), queue=session_id(key))
    if is_more or not await _remove_turns(runner, key):
        return EmptiedSession(object_keys=removed, state="more")
    for collection in ("deployments", "bot_events", "bot_facts"):
        work = partial(_remove_of_session, collection=collection, key=key)
        while await runner.write(work, queue=session_id(key)) == AT_ONCE:
            continue
    await runner.write(partial(_blank, key=key, now=now), queue=session_id(key))
    return EmptiedSession(object_keys=removed, state=await runner.read(partial(_state, key=key)))


def _may_be_emptied(session: Document) -> bool:
    return (
        session.exists
        and session["deleted_at"] is not None
        and session.get("emptied_at") is None
        and not is_held(session)
    )


async def _state(tx: Transaction, *, key: SessionKey) -> Literal["more", "empty", "spared"]:
    session = await tx.one(session_ref(key))
    if not session.exists or session.get("emptied_at") is not None:
        return "empty"
    return "more" if _may_be_emptied(session) else "spared"


async def _remove_files(tx: Transaction, *, key: SessionKey, most: int) -> tuple[tuple[str, ...], bool]:
    """Object keys of the versions that went, and whether there may be more."""
    session = await tx.one(session_ref(key))
    if not _may_be_emptied(session):
        return (), False
    files = await tx.find(
        Query(collection="files", equal=(("session", session.ref.id),), order="name", limit=most)
    )
    objects: list[str] = []
    for file in files:
        versions = await tx.find(
            Query(
                collection="versions",
                equal=(("file", file.ref.id),),
                order="version",
                descending=True,
                limit=most - len(objects) + 1,
            )
        )
        room = most - len(objects)
        objects += [object_of(tx, version) for version in versions[:room]]
        for version in versions[:room]:
            version.delete()
        if len(versions) > room:
            return tuple(objects), True
        file.delete()
    return tuple(objects), len(files) == most


async def _remove_turns(runner: Runner, key: SessionKey) -> bool:
    """Removes some turns, first the parts of their large bodies; whether none is left."""
    turns = await runner.read(partial(_turns, key=key, most=AT_ONCE))
    for ref, is_split in turns:
        work = partial(_remove_parts, owner=ref.id, key=key)
        while is_split and await runner.write(work, queue=session_id(key)) == AT_ONCE:
            continue
    if turns:
        await runner.write(
            partial(_remove_all, refs=[ref for ref, _ in turns], key=key), queue=session_id(key)
        )
    return len(turns) < AT_ONCE


async def _turns(tx: Transaction, *, key: SessionKey, most: int) -> list[tuple[Ref, bool]]:
    if not _may_be_emptied(await tx.one(session_ref(key))):
        return []
    found = await tx.find(
        Query(
            collection="turns",
            equal=(("session", session_id(key)),),
            order="number",
            descending=True,
            limit=most,
        )
    )
    return [(turn.ref, bool(turn.get("is_split"))) for turn in found]


async def _remove_parts(tx: Transaction, *, owner: str, key: SessionKey) -> int:
    if not _may_be_emptied(await tx.one(session_ref(key))):
        return 0
    parts = await tx.find(
        Query(collection="parts", equal=(("owner", owner),), order="id", range=((">", ""),), limit=AT_ONCE)
    )
    for part in parts:
        part.delete()
    return len(parts)


async def _remove_all(tx: Transaction, *, refs: list[Ref], key: SessionKey) -> None:
    session = await tx.one(session_ref(key))
    if _may_be_emptied(session):
        for document in await tx.get(*refs):
            document.delete()


async def _remove_of_session(tx: Transaction, *, collection: str, key: SessionKey) -> int:
    if not _may_be_emptied(await tx.one(session_ref(key))):
        return 0
    place = session_id(key)
    found = await tx.find(
        Query(collection=collection, order="session", range=((">=", place), ("<=", place)), limit=AT_ONCE)
    )
    for document in found:
        document.delete()
    return len(found)


async def _blank(tx: Transaction, *, key: SessionKey, now: datetime) -> None:
    session = await tx.one(session_ref(key))
    if _may_be_emptied(session):
        session.set(
            title=checked(tx.codec.encode("", key.user_id)),
            context=checked(tx.codec.encode({}, key.user_id)),
            summary=None,
            summary_through=0,
            has_facts=False,
            emptied_at=to_micros(now),
        )
