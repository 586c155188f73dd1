"""What the domain asks of an object store, and what everyone else asks of the artifact library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from shared.artifact import Artifact, ArtifactContent, SavedArtifact
from shared.keys import ArtifactKey, SessionKey

CALL_SECONDS = 20.0
CHECK_SECONDS = 1.8
PARTS_OVER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFacts:
    """What a store keeps beside the bytes, where it can: `facts` are short ASCII words by lower-case name."""

    content_type: str = "application/octet-stream"
    content_encoding: str = ""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object of a listing: its key, how many bytes it takes, when it was written."""

    object_key: str
    size: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Immutable bytes under string keys (`a/b/c`): no empty or relative segments.

    Every call ends within `CALL_SECONDS`, repeats included, and raises StoreUnavailableError when the store
    did not do what was asked; its message never holds an address or a credential.
    """

    async def put(self, *, object_key: str, data: bytes, about: ObjectFacts | None = None) -> bool:
        """Stores the bytes, whole or not at all; False, and nothing changed, when the key is taken.

        Of writers at one moment one wins. Data over `PARTS_OVER` bytes is sent in parts, for which some
        stores check the key only before they begin: such a key must be the writer's own.

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

    def list_objects(self, *, folder: str = "") -> AsyncIterator[StoredObject]:
        """Every object whose key begins with the folder's segments, in no particular order; "" is all."""
        ...

    async def check(self) -> None:
        """Returns when the store works; raises StoreUnavailableError, saying why, when it does not."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...


@runtime_checkable
class SignsUrls(Protocol):
    """An object store that lets a client fetch an object by itself."""

    async def sign_url(self, *, object_key: str, lifetime: timedelta) -> str:
        """A URL that serves the object as it is stored, to whoever holds it, for that long.

        Raises:
            StoreUnavailableError: this process has no key that signs.
        """
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
        turn_id: str | None = None,
    ) -> SavedArtifact:
        """Stores the bytes as the next version; the same bytes as the newest make no version.

        `turn_id` is the turn whose tool saves: it takes the version with it when it is rolled back.

        Raises:
            SessionNotFoundError: the user has no such session.
            UnprocessableError: the filename is not allowed.
            FindingsError: the file holds a credential, or a way out of the sandbox; its details say where.
            TooLargeError: the file or the session's number of files is over the limit.
            VersionConflictError: `expected_version` is not the newest (0 expects none).
            SessionConflictError: the turn `turn_id` was rolled back.
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
