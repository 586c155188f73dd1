"""The transactions of `SessionStore`, and a session's document for the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.errors import SessionConflictError, SessionNotFoundError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.bot_facts import with_derived
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name, session_id, to_name
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, ReadAgainError, Transaction
from shared.sessions.merge_patch import merge_patch
from shared.sessions.page import Page

_BEFORE_ALL = ""
_AFTER_ALL = "~"


def session_ref(key: SessionKey) -> Ref:
    """Where a session's document is."""
    return Ref("sessions", session_id(key))


def session_not_found() -> SessionNotFoundError:
    """The error for a session that is not there, or not this user's."""
    return SessionNotFoundError("there is no such session")


def is_live(session: Document) -> bool:
    """Whether the session is there and not deleted."""
    return session.exists and session["deleted_at"] is None


async def live_session(tx: Transaction, key: SessionKey) -> Document:
    """The session's document; raises SessionNotFoundError."""
    session = await tx.one(session_ref(key))
    if not is_live(session):
        raise session_not_found()
    return session


async def running_turn(tx: Transaction, session: Document) -> Document | None:
    """The turn that has the session's lease, also when that has run out.

    Raises:
        ReadAgainError: it has ended since the session was read.
    """
    if session["running"] is None:
        return None
    turn = await tx.one(Ref("turns", session["running"]))
    if not turn.exists or turn["status"] not in ("running", "paused"):
        raise ReadAgainError
    return turn


def revision_of(session: Document, running: Document | None) -> int:
    """The session's revision: its changes, and the steps that the running turn has written under its lease.

    A step is thus one write, of its turn's document alone.
    """
    written = running["count"] - running["begun_with"] if running is not None and running.exists else 0
    revision: int = session["revision"] + max(written, 0)
    return revision


def session_of(tx: Transaction, key: SessionKey, session: Document, running: Document | None) -> Session:
    """The session its document holds, without what its events tell."""
    return Session(
        key=key,
        title=tx.codec.decode(session["title"], key.user_id),
        context=tx.codec.decode(session["context"], key.user_id),
        created_at=from_micros(session["created_at"]),
        updated_at=from_micros(session["updated_at"]),
        revision=revision_of(session, running),
        is_active=session["is_active"],
    )


def new_session(
    tx: Transaction,
    session: Document,
    *,
    key: SessionKey,
    title: str,
    context: dict[str, Any],
    now: datetime,
) -> None:
    """Fills the document of a session that is not there yet, at revision 0."""
    session.set(
        owner=document_id(key.user_id),
        user=to_name(key.user_id),
        session=to_name(key.session_id),
        title=checked(tx.codec.encode(title, key.user_id)),
        untitled=not title,
        context=checked(tx.codec.encode(context, key.user_id)),
        created_at=to_micros(now),
        revision=0,
        is_active=True,
        deleted_at=None,
        running=None,
        token=0,
        next_number=1,
        last_ran=0,
        line=[],
        files=0,
        sequence=0,
        summary=None,
        summary_through=0,
        has_facts=False,
    )


def touch(session: Document, now: datetime, *, by: int = 1) -> None:
    """Counts a change and moves the session to the top of its user's list."""
    micros = to_micros(now)
    session.set(
        revision=session["revision"] + by,
        updated_at=micros,
        # Orders a user's sessions by time, then by id.
        place=f"{micros:020} {session['session']}",
    )


async def create_session(
    tx: Transaction, key: SessionKey, title: str, context: dict[str, Any], now: datetime
) -> Session:
    """See `SessionStore.create_session`."""
    wanted = Session(key=key, title=title, context=context, created_at=now, updated_at=now, revision=1)
    session = await tx.one(session_ref(key))
    if session.exists:
        if is_live(session) and _is_repeat(tx, session, wanted):
            return wanted
        raise SessionConflictError("there is a session of this id already")
    new_session(tx, session, key=key, title=title, context=context, now=now)
    touch(session, now)
    return wanted


def _is_repeat(tx: Transaction, session: Document, wanted: Session) -> bool:
    """Whether the same call made the session before, and nothing has touched it since."""
    # In their stored form: what is no JSON number comes back as null.
    user_id = wanted.key.user_id
    context = tx.codec.decode(tx.codec.encode(wanted.context, user_id), user_id)
    return session_of(tx, wanted.key, session, None) == replace(wanted, context=context)


async def load_session(tx: Transaction, key: SessionKey) -> Session:
    """See `SessionStore.load_session`."""
    session = await live_session(tx, key)
    found = session_of(tx, key, session, await running_turn(tx, session))
    return await with_derived(tx, found, session)


async def list_sessions(tx: Transaction, user_id: str, limit: int, cursor: str | None) -> Page[Session]:
    """See `SessionStore.list_sessions`; those that run a turn cost a read more."""
    before = str(read_cursor(cursor, str)[0]) if cursor else _AFTER_ALL
    # A cursor is the caller's word: it may hold what no string of Firestore holds.
    before = before.encode("utf-8", "replace").decode()
    found = await tx.find(
        Query(
            collection="sessions",
            equal=(("owner", document_id(user_id)),),
            order="place",
            # A deleted session has the empty place.
            range=((">", _BEFORE_ALL), ("<", before)),
            descending=True,
            limit=limit + 1,
        )
    )
    page = found[:limit]
    running = [Ref("turns", each["running"]) for each in page if each["running"] is not None]
    turns = {turn.ref.id: turn for turn in await tx.get(*running)} if running else {}
    items = tuple(
        session_of(
            tx,
            SessionKey(user_id=user_id, session_id=from_name(each["session"])),
            each,
            turns.get(each["running"]),
        )
        for each in page
    )
    return Page(items=items, next_cursor=write_cursor(page[-1]["place"]) if len(found) > limit else None)


async def set_title(tx: Transaction, key: SessionKey, title: str, now: datetime) -> Session:
    """See `SessionStore.set_title`; a title that its last change gave, at that time, is a repeat."""
    session = await live_session(tx, key)
    running = await running_turn(tx, session)
    before = session_of(tx, key, session, running)
    if before.updated_at == now and before.title == title:
        return await with_derived(tx, before, session)
    session.set(title=checked(tx.codec.encode(title, key.user_id)), untitled=not title)
    touch(session, now)
    return await with_derived(tx, session_of(tx, key, session, running), session)


async def patch_context(tx: Transaction, key: SessionKey, patch: dict[str, Any], now: datetime) -> Session:
    """See `SessionStore.patch_context`; at the time of its last change, one of no effect is a repeat."""
    session = await live_session(tx, key)
    running = await running_turn(tx, session)
    before = session_of(tx, key, session, running)
    body = checked(tx.codec.encode(merge_patch(before.context, patch), key.user_id))
    if before.updated_at == now and tx.codec.decode(body, key.user_id) == before.context:
        return await with_derived(tx, before, session)
    session.set(context=body)
    touch(session, now)
    return await with_derived(tx, session_of(tx, key, session, running), session)
