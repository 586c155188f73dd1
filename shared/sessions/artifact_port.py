"""What the domain asks of the records of artifacts; their bytes are the object store's."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from shared.artifact import Artifact
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.outbox_port import OutgoingEvent


class ArtifactIndex(Protocol):
    """The records of artifact versions; the bytes are in the object store."""

    async def add_version(
        self,
        *,
        artifact: Artifact,
        max_files: int,
        events: tuple[OutgoingEvent, ...] = (),
    ) -> bool:
        """Records a version, create-only; False when that version number is, or was, taken.

        A file that was deleted comes back with its next number. The events of a version that an unfinished
        turn saved (`artifact.turn_id`) wait for its end.

        Raises:
            SessionNotFoundError; TooLargeError when the session would have more than `max_files` files;
            SessionConflictError when `artifact.turn_id` was rolled back.
        """
        ...

    async def newest(self, *, key: ArtifactKey) -> Artifact | None:
        """The newest version's record, also when the file is deleted (ask `list_artifacts` for that)."""
        ...

    async def load_version(self, *, key: ArtifactKey, version: int | None) -> Artifact:
        """The record of that version, or of the newest of a file that is not deleted.

        Raises:
            SessionNotFoundError, ArtifactNotFoundError.
        """
        ...

    async def list_artifacts(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        """The newest version of each file not deleted, by filename; raises SessionNotFoundError."""
        ...

    async def list_versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        """All versions of one file, newest first; raises SessionNotFoundError, ArtifactNotFoundError."""
        ...

    async def delete_artifact(self, *, key: ArtifactKey, now: datetime) -> None:
        """Marks the file deleted; raises SessionNotFoundError, ArtifactNotFoundError."""
        ...
