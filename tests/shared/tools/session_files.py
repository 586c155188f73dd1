"""A session's files in memory, for tests of tools: the contract of `Artifacts` without a store."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from shared.artifact import Artifact, ArtifactContent, SavedArtifact, artifact_type, check_filename, mime_type
from shared.errors import ArtifactNotFoundError
from shared.keys import ArtifactKey, SessionKey


class SessionFiles:
    """`Artifacts` over a dict of versions."""

    def __init__(self) -> None:
        self.stored: dict[ArtifactKey, list[ArtifactContent]] = {}

    async def save(
        self,
        *,
        key: ArtifactKey,
        data: bytes,
        expected_version: int | None = None,
        quality_score: int | None = None,
        turn_id: str | None = None,
    ) -> SavedArtifact:
        check_filename(key.filename)
        versions = self.stored.setdefault(key, [])
        if versions and versions[-1].data == data:
            return SavedArtifact(artifact=versions[-1].artifact, outcome="unchanged")
        artifact = Artifact(
            key=key,
            version=len(versions) + 1,
            type=artifact_type(key.filename),
            mime_type=mime_type(key.filename),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            object_key=f"{key.filename}/{len(versions) + 1}",
            quality_score=quality_score,
        )
        versions.append(ArtifactContent(artifact=artifact, data=data))
        return SavedArtifact(artifact=artifact, outcome="updated" if len(versions) > 1 else "created")

    async def read(self, *, key: ArtifactKey, version: int | None = None) -> ArtifactContent:
        if key not in self.stored:
            raise ArtifactNotFoundError("no such file")
        return self.stored[key][-1 if version is None else version - 1]

    async def list(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        found = [versions[-1].artifact for key, versions in self.stored.items() if key.session == session]
        return tuple(sorted(found, key=lambda artifact: artifact.filename))

    async def versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        return tuple(content.artifact for content in reversed(self.stored[key]))

    async def delete(self, *, key: ArtifactKey) -> None:
        del self.stored[key]
