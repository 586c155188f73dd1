"""What the domain asks of an object store, and what everyone else asks of the artifact library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from shared.artifact import Artifact, ArtifactContent, SavedArtifact
from shared.keys import ArtifactKey, SessionKey


class ObjectStore(Protocol):
    """Immutable bytes under string keys (`a/b/c`)."""

    async def put(self, *, object_key: str, data: bytes) -> bool:
        """Stores the bytes, whole or not at all; False, and nothing changed, when the key is taken.

        Raises:
            StoreUnavailableError: the store did not take them.
        """
        ...

    async def get(self, *, object_key: str) -> bytes | None:
        """The bytes, or None when there is nothing under the key.

        Raises:
            StoreUnavailableError: the store did not answer.
        """
        ...

    async def delete(self, *, object_key: str) -> None:
        """Removes the object; none there is no error."""
        ...

    def list_keys(self, *, prefix: str) -> AsyncIterator[str]:
        """Every key that begins with the prefix, in no particular order."""
        ...

    async def check(self) -> None:
        """Returns when the store works; raises StoreUnavailableError when it does not."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


class Artifacts(Protocol):
    """The versioned files of sessions: what tools and functions use."""

    async def save(
        self,
        *,
        key: ArtifactKey,
        data: bytes,
        expected_version: int | None = None,
        quality_score: int | None = None,
    ) -> SavedArtifact:
        """Stores the bytes as the next version; the same bytes as the newest make no version.

        Raises:
            SessionNotFoundError: the user has no such session.
            UnprocessableError: the filename is not allowed.
            TooLargeError: the file or the session's number of files is over the limit.
            VersionConflictError: `expected_version` is not the newest (0 expects none).
            StoreUnavailableError: nothing was saved.
        """
        ...

    async def read(self, *, key: ArtifactKey, version: int | None = None) -> ArtifactContent:
        """The newest version, or the one asked for, with its bytes checked against their hash.

        Raises:
            SessionNotFoundError, ArtifactNotFoundError, StoreUnavailableError.
        """
        ...

    async def list(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        """The newest version of every file of the session, by filename; deleted ones left out.

        Raises:
            SessionNotFoundError: the user has no such session.
        """
        ...

    async def versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        """All versions of one file, newest first.

        Raises:
            SessionNotFoundError, ArtifactNotFoundError.
        """
        ...

    async def delete(self, *, key: ArtifactKey) -> None:
        """Takes the file off the list; its versions stay until retention.

        Raises:
            SessionNotFoundError, ArtifactNotFoundError.
        """
        ...
