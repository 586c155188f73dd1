"""The artifact library: versioned files of sessions, bytes in the object store, records in the index.

Bytes come first, under a fresh key, then the version's record, create-only: a crash between leaves an
orphan object, never a record without bytes. Writers that meet on a number try the next.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from shared.artifact import (
    Artifact,
    ArtifactContent,
    SavedArtifact,
    artifact_type,
    check_filename,
    mime_type,
)
from shared.artifacts.compression import compress, decompress
from shared.artifacts.paths import object_key
from shared.artifacts.port import ObjectStore
from shared.clock import Clock
from shared.errors import StoreUnavailableError, TooLargeError, VersionConflictError
from shared.ids import NewId
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import ArtifactIndex

MAX_FILE_BYTES = 25 * 1024 * 1024
MAX_FILES = 200
_SMALL = 64 * 1024
_ATTEMPTS = 50


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
    ) -> None:
        self._objects = objects
        self._index = index
        self._clock = clock
        self._new_id = new_id
        self._observe = observe

    async def save(
        self,
        *,
        key: ArtifactKey,
        data: bytes,
        expected_version: int | None = None,
        quality_score: int | None = None,
    ) -> SavedArtifact:
        key = ArtifactKey(session=key.session, filename=check_filename(key.filename))
        if len(data) > MAX_FILE_BYTES:
            raise TooLargeError(f"a file has at most {MAX_FILE_BYTES} bytes", limit=MAX_FILE_BYTES)
        sha256 = hashlib.sha256(data).hexdigest()
        frame = compress(data) if len(data) <= _SMALL else await asyncio.to_thread(compress, data)
        stored: str | None = None
        for _ in range(_ATTEMPTS):
            newest = await self._index.newest(key=key)
            current = newest.version if newest else 0
            if expected_version is not None and expected_version != current:
                raise VersionConflictError(
                    f"the newest version is {current}, not {expected_version}", current_version=current
                )
            if newest is not None and newest.sha256 == sha256 and await self._is_listed(key):
                return SavedArtifact(artifact=newest, outcome="unchanged")
            if stored is None:
                stored = await self._put_bytes(key, current + 1, frame)
            artifact = Artifact(
                key=key,
                version=current + 1,
                type=artifact_type(key.filename),
                mime_type=mime_type(key.filename),
                size=len(data),
                sha256=sha256,
                created_at=self._clock(),
                object_key=stored,
                quality_score=quality_score,
            )
            if await self._index.add_version(
                artifact=artifact, max_files=MAX_FILES, events=(self._created_event(artifact),)
            ):
                self._observe(artifact.type)
                return SavedArtifact(artifact=artifact, outcome="updated" if newest else "created")
        raise StoreUnavailableError("too many writers on one file", retry_after=1)

    async def read(self, *, key: ArtifactKey, version: int | None = None) -> ArtifactContent:
        artifact = await self._index.load_version(key=key, version=version)
        return ArtifactContent(artifact=artifact, data=await self._read_bytes(artifact))

    async def list(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        return await self._index.list_artifacts(session=session)

    async def versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        return await self._index.list_versions(key=key)

    async def delete(self, *, key: ArtifactKey) -> None:
        await self._index.delete_artifact(key=key, now=self._clock())

    async def _is_listed(self, key: ArtifactKey) -> bool:
        listed = await self._index.list_artifacts(session=key.session)
        return any(artifact.key.filename == key.filename for artifact in listed)

    async def _put_bytes(self, key: ArtifactKey, version: int, frame: bytes) -> str:
        place = object_key(key, version)
        while not await self._objects.put(object_key=place, data=frame):
            place = object_key(key, version, self._new_id())
        return place

    async def _read_bytes(self, artifact: Artifact) -> bytes:
        frame = await self._objects.get(object_key=artifact.object_key)
        if frame is None:
            raise StoreUnavailableError(
                f"the bytes of {artifact.filename} version {artifact.version} are missing"
            )
        if artifact.size <= _SMALL:
            return _checked(artifact, frame)
        return await asyncio.to_thread(_checked, artifact, frame)

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


def _checked(artifact: Artifact, frame: bytes) -> bytes:
    """The bytes, when they are those that were saved: damage is reported and never served."""
    try:
        data = decompress(frame, max_size=MAX_FILE_BYTES)
    except ValueError as error:
        raise _damaged(artifact) from error
    if hashlib.sha256(data).hexdigest() != artifact.sha256:
        raise _damaged(artifact)
    return data


def _damaged(artifact: Artifact) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"the stored bytes of {artifact.filename} version {artifact.version} are damaged"
    )
