"""The artifact library: versioned files of sessions, bytes in the object store, records in the index.

Bytes come first, under a fresh key, then the version's record, create-only: a crash between leaves an
orphan object, never a record without bytes. Writers of one file wait for each other in a process; those of
several that meet on a number try the next.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

from shared.artifact import (
    Artifact,
    ArtifactContent,
    SavedArtifact,
    check_filename,
)
from shared.artifacts.compression import CONTENT_ENCODING, compress, decompress
from shared.artifacts.paths import object_key
from shared.artifacts.port import PARTS_OVER, ObjectFacts, ObjectStore, SignsUrls
from shared.artifacts.saved_lately import SavedLately, SavedVersion
from shared.artifacts.scan import Scan, Scanner
from shared.clock import Clock
from shared.errors import (
    DamagedError,
    StoreUnavailableError,
    TooLargeError,
    UnprocessableError,
    VersionConflictError,
)
from shared.ids import NewId
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.artifact_port import ArtifactIndex
from shared.sessions.outbox_port import OutgoingEvent

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILES = 200
URL_LIFETIME = timedelta(minutes=10)
_RECORDED_WITHIN = timedelta(hours=1)
_SMALL = 64 * 1024
_ATTEMPTS = 100
_PLACES = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectUrl:
    """Where a client may fetch a version by itself, as it is stored: one zstd frame.

    It should check what it got by the artifact's sha256, as nobody else does.
    """

    artifact: Artifact
    url: str
    expires_at: datetime
    content_encoding: str = CONTENT_ENCODING


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewBytes:
    """What is about to be saved."""

    key: ArtifactKey
    data: bytes
    frame: bytes
    sha256: str
    scan: Scan
    expected_version: int | None
    quality_score: int | None
    turn_id: str | None


class ArtifactLibrary:
    """`Artifacts` over an object store and an index; `observe` hears the type of each version saved."""

    def __init__(
        self,
        *,
        objects: ObjectStore,
        index: ArtifactIndex,
        clock: Clock,
        new_id: NewId,
        observe: Callable[[str], None] = lambda kind: None,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_files: int = MAX_FILES,
    ) -> None:
        self._objects = objects
        self._index = index
        self._clock = clock
        self._new_id = new_id
        self._observe = observe
        self._max_file_bytes = max_file_bytes
        self._max_files = max_files
        self._scanner = Scanner()
        self._lately = SavedLately()
        self._writing: WeakValueDictionary[ArtifactKey, asyncio.Lock] = WeakValueDictionary()

    async def save(
        self,
        *,
        key: ArtifactKey,
        data: bytes,
        expected_version: int | None = None,
        quality_score: int | None = None,
        turn_id: str | None = None,
    ) -> SavedArtifact:
        key = ArtifactKey(session=key.session, filename=check_filename(key.filename))
        if len(data) > self._max_file_bytes:
            raise TooLargeError(
                f"a file has at most {self._max_file_bytes} bytes", limit=self._max_file_bytes
            )
        sha256 = hashlib.sha256(data).hexdigest()
        lock = self._writing.setdefault(key, asyncio.Lock())
        # A writer here is about to change what is newest: then it is asked when the lock is had.
        is_alone = not lock.locked()
        goes_by = partial(self._saved_before, key, sha256, expected_version, turn_id)
        before = goes_by() if is_alone else None
        asking = self._index.newest(key=key) if is_alone and before is None else _nothing()
        scan, newest = await self._scanned(key.filename, data, sha256, asking)
        new = _NewBytes(
            key=key,
            data=data,
            frame=compress(data) if len(data) <= _SMALL else await asyncio.to_thread(compress, data),
            sha256=sha256,
            scan=scan,
            expected_version=expected_version,
            quality_score=quality_score,
            turn_id=turn_id,
        )
        # Writers of one file would only fail each other's numbers.
        async with lock:
            if is_alone:
                return await self._save(new, newest or before)
            return await self._save(new, goes_by() or await self._index.newest(key=key))

    async def restore(
        self, *, key: ArtifactKey, version: int, expected_version: int | None = None
    ) -> SavedArtifact:
        """Saves the bytes of an old version as the next one; raises as `read` and `save` do."""
        old = await self.read(key=key, version=version)
        return await self.save(
            key=key,
            data=old.data,
            expected_version=expected_version,
            quality_score=old.artifact.quality_score,
        )

    async def read(self, *, key: ArtifactKey, version: int | None = None) -> ArtifactContent:
        artifact = await self._index.load_version(key=_composed(key), version=version)
        return ArtifactContent(artifact=artifact, data=await self._read_bytes(artifact))

    async def read_bytes(self, *, artifact: Artifact) -> bytes:
        """The bytes of a version whose record the caller has; raises StoreUnavailableError."""
        return await self._read_bytes(artifact)

    async def direct_url(self, *, key: ArtifactKey, version: int | None = None) -> DirectUrl:
        """A URL that serves the version's bytes, as stored, for ten minutes to whoever holds it.

        Raises:
            UnprocessableError: the object store gives no URLs.
            SessionNotFoundError, ArtifactNotFoundError, StoreUnavailableError.
        """
        if not isinstance(self._objects, SignsUrls):
            raise UnprocessableError("this artifact store gives no URLs: read the file itself")
        artifact = await self._index.load_version(key=_composed(key), version=version)
        expires_at = self._clock() + URL_LIFETIME
        url = await self._objects.sign_url(object_key=artifact.object_key, lifetime=URL_LIFETIME)
        return DirectUrl(artifact=artifact, url=url, expires_at=expires_at)

    async def list(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        return await self._index.list_artifacts(session=session)

    async def versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        return await self._index.list_versions(key=_composed(key))

    async def delete(self, *, key: ArtifactKey) -> None:
        await self._index.delete_artifact(key=_composed(key), now=self._clock())

    async def _scanned(
        self, filename: str, data: bytes, sha256: str, asking: Awaitable[Artifact | None]
    ) -> tuple[Scan, Artifact | None]:
        """What is said of the bytes, and what `asking` answers meanwhile."""
        # Nearly every file is small and holds nothing: then a thread would cost more than the look.
        looked = self._scanner.look(filename, data, sha256)
        if looked is not None:
            return looked, await asking
        looking = asyncio.to_thread(self._scanner.scan, filename, data, sha256)
        return await asyncio.gather(looking, asking)

    def _saved_before(
        self, key: ArtifactKey, sha256: str, expected_version: int | None, turn_id: str | None
    ) -> SavedVersion | None:
        if expected_version is not None:
            return None
        return self._lately.before(key, sha256=sha256, turn_id=turn_id, now=self._clock())

    async def _save(self, new: _NewBytes, newest: Artifact | SavedVersion | None) -> SavedArtifact:
        stored: str | None = None
        stored_at = self._clock()
        tried, step = 0, 1
        for attempt in range(_ATTEMPTS):
            if attempt:
                newest = await self._index.newest(key=new.key)
            current = newest.version if newest else 0
            if new.expected_version is not None and new.expected_version != current:
                raise VersionConflictError(
                    f"the newest version is {current}, not {new.expected_version}", current_version=current
                )
            if isinstance(newest, Artifact) and await self._is_unchanged(new, newest):
                return SavedArtifact(artifact=newest, outcome="unchanged")
            if current >= tried:
                tried, step = current + 1, 1
            else:
                # The number went with a turn that was rolled back, and others may have after it.
                tried, step = tried + step, step * 2
            # After a day without a record retention takes them: a process may be frozen for long.
            if stored is None or self._clock() - stored_at > _RECORDED_WITHIN:
                stored, stored_at = await self._put_bytes(new, tried), self._clock()
            artifact = self._record(new, tried, stored)
            if await self._index.add_version(
                artifact=artifact, max_files=self._max_files, events=(self._created_event(artifact),)
            ):
                self._lately.note(artifact)
                self._observe(artifact.type)
                return SavedArtifact(artifact=artifact, outcome="updated" if newest else "created")
        raise StoreUnavailableError("too many writers on one file", retry_after=1)

    def _record(self, new: _NewBytes, version: int, stored: str) -> Artifact:
        return Artifact(
            key=new.key,
            version=version,
            type=new.scan.type,
            mime_type=new.scan.mime_type,
            size=len(new.data),
            sha256=new.sha256,
            created_at=self._clock(),
            object_key=stored,
            quality_score=new.quality_score,
            findings=new.scan.findings,
            turn_id=new.turn_id,
        )

    async def _is_unchanged(self, new: _NewBytes, newest: Artifact) -> bool:
        if newest.sha256 != new.sha256:
            return False
        listed = await self._index.list_artifacts(session=new.key.session)
        return any(artifact.key.filename == new.key.filename for artifact in listed)

    async def _put_bytes(self, new: _NewBytes, version: int) -> str:
        about = ObjectFacts(
            content_type=new.scan.mime_type,
            content_encoding=CONTENT_ENCODING,
            facts={"sha256": new.sha256, "size": str(len(new.data))},
        )
        # What is sent in parts needs a key that nobody else writes to.
        own = self._new_id() if len(new.frame) > PARTS_OVER else None
        for _ in range(_PLACES):
            place = object_key(new.key, version, own)
            if await self._objects.put(object_key=place, data=new.frame, about=about):
                return place
            own = self._new_id()
        raise StoreUnavailableError("the artifact store gave no place for the file", retry_after=1)

    async def _read_bytes(self, artifact: Artifact) -> bytes:
        # Twice: what was bent on its way here may come straight the next time.
        for _ in range(2):
            frame = await self._objects.get(object_key=artifact.object_key)
            if frame is None:
                # Retention may just have taken the version, its record first: then this says so.
                await self._index.load_version(key=artifact.key, version=artifact.version)
                _report(artifact, "missing")
                raise DamagedError(f"the bytes of {artifact.filename} version {artifact.version} are missing")
            if artifact.size <= _SMALL:
                data = _checked(artifact, frame)
            else:
                data = await asyncio.to_thread(_checked, artifact, frame)
            if data is not None:
                return data
        _report(artifact, "damaged")
        raise DamagedError(f"the stored bytes of {artifact.filename} version {artifact.version} are damaged")

    def _created_event(self, artifact: Artifact) -> OutgoingEvent:
        return OutgoingEvent(
            event_id=self._new_id(),
            type="ai.artifact.created",
            data={
                "session_id": artifact.key.session.session_id,
                "user_id": artifact.key.session.user_id,
                "filename": artifact.filename,
                "version": artifact.version,
                "sha256": artifact.sha256,
            },
        )


async def _nothing() -> None:
    """In place of a question that is asked later."""


def _composed(key: ArtifactKey) -> ArtifactKey:
    """The key as files are kept: names that clients send decomposed (NFD) are the same names."""
    return ArtifactKey(session=key.session, filename=unicodedata.normalize("NFC", key.filename))


def _checked(artifact: Artifact, frame: bytes) -> bytes | None:
    """The bytes, when they are those that were saved; None when they are not."""
    try:
        data = decompress(frame, max_size=artifact.size)
    except ValueError:
        return None
    return data if hashlib.sha256(data).hexdigest() == artifact.sha256 else None


def _report(artifact: Artifact, what: str) -> None:
    _log.error(
        "stored bytes are not what was saved",
        extra={
            "found": what,
            "session_id": artifact.key.session.session_id,
            "version": artifact.version,
            "sha256": artifact.sha256,
        },
    )
