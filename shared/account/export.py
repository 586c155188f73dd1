"""A user's sessions as one zip, streamed: what was said and done, every version of every file, a manifest.

The form is told in docs/account.md; a change of it raises FORMAT_VERSION.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from shared.account.forms import (
    deployment_form,
    event_form,
    json_line,
    json_text,
    session_form,
    turn_form,
    version_form,
)
from shared.account.member_names import MemberNames, segment_of
from shared.artifact import Artifact
from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.zipped import StreamedZip, fetched_ahead
from shared.errors import ArtifactNotFoundError, DamagedError, SessionNotFoundError
from shared.keys import ArtifactKey, SessionKey
from shared.session import Session
from shared.sessions.export_port import KnownFile
from shared.sessions.port import Store
from shared.turn import Turn

FORMAT = "the0-agent-export"
FORMAT_VERSION = 1
# A turn may hold megabytes, and two pages of them are in memory.
_TURNS = 4
_SESSIONS = 100
_EVENTS = 100
_PIECE = 256 * 1024

MessagesOf = Callable[[Turn], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Turns:
    """A session's turns at one moment: what may still change is in memory, a page of it."""

    key: SessionKey
    older: tuple[str, ...]
    newest: tuple[Turn, ...]


class Export:
    """Exports of one user; `messages_of` gives a turn's messages as the chat routes do. Used once."""

    def __init__(
        self, *, store: Store, library: ArtifactLibrary, messages_of: MessagesOf, user_id: str
    ) -> None:
        self._store = store
        self._library = library
        self._messages_of = messages_of
        self._user_id = user_id
        self._archive = StreamedZip()
        self._members: list[dict[str, Any]] = []
        self._unreadable: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    async def session(self, session_id: str) -> AsyncIterator[bytes]:
        """The archive of one session.

        Raises:
            SessionNotFoundError: before the first piece, the user has no such session.
            StoreUnavailableError: the archive breaks off.
        """
        session = await self._store.load_session(key=SessionKey(user_id=self._user_id, session_id=session_id))
        async for piece in self._session(session, ""):
            yield piece
        yield await self._end({"session_id": session_id})

    async def everything(self) -> AsyncIterator[bytes]:
        """The archive of all of the user's sessions, each in a folder, and of what was used a day.

        Raises:
            StoreUnavailableError: the archive breaks off.
        """
        async for key in self._keys():
            folder = f"sessions/{segment_of(key.session_id)}/"
            try:
                session = await self._store.load_session(key=key)
                async for piece in self._session(session, folder):
                    yield piece
            except SessionNotFoundError:
                # Deleted on the way: what is written of it stays, and the manifest tells what that is.
                continue
        async for piece in self._member("usage.jsonl", self._usage()):
            yield piece
        yield await self._end({})

    async def _keys(self) -> AsyncIterator[SessionKey]:
        """By id: the order of lists changes while they are read."""
        after: str | None = None
        while True:
            page = await self._store.list_user_sessions(user_id=self._user_id, after=after, limit=_SESSIONS)
            for known in page.sessions:
                if not known.is_deleted:
                    yield known.key
            after = page.after
            if after is None:
                return

    async def _session(self, session: Session, folder: str) -> AsyncIterator[bytes]:
        key = session.key
        self._counts["sessions"] += 1
        turns = await self._look(key)
        parts = {
            "session.json": _once(json_text(session_form(session))),
            "messages.jsonl": self._messages(turns),
            "turns.jsonl": self._turns(turns),
            "deployments.jsonl": self._deployments(key),
            "bot_events.jsonl": self._bot_events(session),
        }
        for name, lines in parts.items():
            async for piece in self._member(f"{folder}{name}", lines):
                yield piece
        forms: list[bytes] = []
        names = MemberNames(f"{folder}artifacts/")
        for file in await self._store.list_files_of(session=key):
            async for piece in self._file(key, file, names, forms):
                yield piece
        async for piece in self._member(f"{folder}artifacts.jsonl", _all(forms)):
            yield piece

    async def _look(self, key: SessionKey) -> _Turns:
        """The newest page of turns as they are now, and where the older pages begin."""
        page = await self._store.list_turns(key=key, limit=_TURNS, cursor=None)
        newest, older = page.items[::-1], []
        while page.next_cursor is not None:
            older.append(page.next_cursor)
            page = await self._store.list_turns(key=key, limit=_TURNS, cursor=page.next_cursor)
        return _Turns(key, tuple(older[::-1]), newest)

    async def _each(self, turns: _Turns) -> AsyncIterator[Turn]:
        """The turns, oldest first, though lists give the newest first."""
        for cursor in turns.older:
            page = await self._store.list_turns(key=turns.key, limit=_TURNS, cursor=cursor)
            for turn in reversed(page.items):
                yield turn
        for turn in turns.newest:
            yield turn

    async def _messages(self, turns: _Turns) -> AsyncIterator[bytes]:
        async for turn in self._each(turns):
            for message in self._messages_of(turn):
                self._counts["messages"] += 1
                yield json_line({**message, "turn_id": turn.turn_id})

    async def _turns(self, turns: _Turns) -> AsyncIterator[bytes]:
        async for turn in self._each(turns):
            self._counts["turns"] += 1
            yield json_line(turn_form(turn))

    async def _deployments(self, key: SessionKey) -> AsyncIterator[bytes]:
        for deployment in await self._store.list_deployments(session=key):
            self._counts["deployments"] += 1
            yield json_line(deployment_form(deployment))

    async def _bot_events(self, session: Session) -> AsyncIterator[bytes]:
        """Bot by bot, of each the newest first, as a bot's history gives them."""
        for bot_id in sorted(session.derived.get("bots", {})):
            cursor: str | None = None
            while True:
                page = await self._store.bot_history(
                    user_id=self._user_id, bot_id=bot_id, limit=_EVENTS, cursor=cursor
                )
                for event in page.items:
                    self._counts["bot_events"] += 1
                    yield json_line(event_form(event))
                cursor = page.next_cursor
                if cursor is None:
                    break

    async def _usage(self) -> AsyncIterator[bytes]:
        for day, used in (await self._store.list_usage(user_id=self._user_id)).items():
            self._counts["usage_days"] += 1
            yield json_line({"day": day.isoformat(), "tokens": used.tokens, "cost_micros": used.micros})

    async def _file(
        self, key: SessionKey, file: KnownFile, names: MemberNames, forms: list[bytes]
    ) -> AsyncIterator[bytes]:
        """The bytes of a file's versions, oldest first; what is known of each is added to `forms`."""
        try:
            versions = await self._library.versions(key=ArtifactKey(session=key, filename=file.filename))
        except ArtifactNotFoundError:
            # All of its versions are gone, by a rollback or by retention.
            return
        self._counts["files"] += 1
        async for artifact, data in fetched_ahead(self._read, versions[::-1]):
            self._counts["versions"] += 1
            place = names.of(artifact)
            if data is None:
                self._unreadable.append(
                    {
                        "session_id": key.session_id,
                        "filename": artifact.filename,
                        "version": artifact.version,
                    }
                )
            else:
                async for piece in self._member(place, _all([data])):
                    yield piece
            forms.append(json_line(version_form(artifact, file.deleted_at, None if data is None else place)))

    async def _read(self, artifact: Artifact) -> bytes | None:
        """The version's bytes; None where they are not what was saved, which stops no export."""
        try:
            return await self._library.read_bytes(artifact=artifact)
        except (DamagedError, ArtifactNotFoundError):
            return None

    async def _member(self, name: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name) as member:
            async for piece in pieces:
                for start in range(0, len(piece), _PIECE):
                    part = piece[start : start + _PIECE]
                    await asyncio.to_thread(member.write, part)
                    digest.update(part)
                    size += len(part)
                    yield self._archive.take()
        self._members.append({"name": name, "size": size, "sha256": digest.hexdigest()})
        yield self._archive.take()

    async def _end(self, about: dict[str, Any]) -> bytes:
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "user_id": self._user_id,
            **about,
            "counts": dict(sorted(self._counts.items())),
            "unreadable": self._unreadable,
            "members": self._members,
        }
        await asyncio.to_thread(self._archive.add, "manifest.json", json_text(manifest))
        self._archive.close()
        return self._archive.take()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _all(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
