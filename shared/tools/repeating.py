"""The session's files as a tool call that is run again must see them: without what its first run saved.

A process may die after a tool has saved a file and before the tool's result is recorded. The call is then
run again: it reads the files as they were before it, and a save that was made already is answered as it was.
So the call has one effect, and the result that an undisturbed run would have had.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from itertools import dropwhile

from shared.artifact import Artifact, ArtifactContent, SavedArtifact
from shared.artifacts.port import Artifacts
from shared.errors import ArtifactNotFoundError
from shared.keys import ArtifactKey, SessionKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A call that may have run before: `since` is when the reply that made it was recorded.

    `settled` are the files that other calls of the same reply have saved, as far as is recorded: whose a
    version of those is cannot be told, and they are seen as they are.
    """

    since: datetime
    settled: frozenset[str] = field(default=frozenset())


class RepeatedCallFiles:
    """`Artifacts` over others, for one call of a turn that is run again."""

    def __init__(self, *, files: Artifacts, turn_id: str, repeated: Repeated) -> None:
        self._files = files
        self._turn_id = turn_id
        self._repeated = repeated
        # The newest version of each file that this run has saved, or found saved.
        self._reached: dict[ArtifactKey, int] = {}

    async def save(
        self,
        *,
        key: ArtifactKey,
        data: bytes,
        expected_version: int | None = None,
        quality_score: int | None = None,
        turn_id: str | None = None,
    ) -> SavedArtifact:
        """See `Artifacts.save`; a version that the first run made of these bytes is the answer."""
        versions = await self._versions(key)
        visible = self._visible(versions)
        hidden = versions[: len(versions) - len(visible)]
        if hidden and expected_version in (None, visible[0].version if visible else 0):
            first = hidden[-1]
            if first.sha256 == hashlib.sha256(data).hexdigest():
                self._reached[first.key] = first.version
                return SavedArtifact(artifact=first, outcome="updated" if visible else "created")
            # The tool does not say the same twice: what it says now comes on top.
            expected_version = None if expected_version is None else hidden[0].version
        saved = await self._files.save(
            key=key,
            data=data,
            expected_version=expected_version,
            quality_score=quality_score,
            turn_id=turn_id,
        )
        self._reached[saved.artifact.key] = saved.artifact.version
        return saved

    async def read(self, *, key: ArtifactKey, version: int | None = None) -> ArtifactContent:
        """See `Artifacts.read`."""
        if version is None:
            versions = await self._files.versions(key=key)
            visible = self._visible(versions)
            if visible != versions:
                version = _some(visible)[0].version
        return await self._files.read(key=key, version=version)

    async def list(self, *, session: SessionKey) -> tuple[Artifact, ...]:
        """See `Artifacts.list`."""
        listed: list[Artifact] = []
        for artifact in await self._files.list(session=session):
            if not self._is_hidden(artifact):
                listed.append(artifact)
                continue
            listed.extend(self._visible(await self._versions(artifact.key))[:1])
        return tuple(listed)

    async def versions(self, *, key: ArtifactKey) -> tuple[Artifact, ...]:
        """See `Artifacts.versions`."""
        return _some(self._visible(await self._files.versions(key=key)))

    async def delete(self, *, key: ArtifactKey) -> None:
        """See `Artifacts.delete`."""
        await self._files.delete(key=key)

    async def _versions(self, key: ArtifactKey) -> tuple[Artifact, ...]:
        try:
            return await self._files.versions(key=key)
        except ArtifactNotFoundError:
            return ()

    def _visible(self, versions: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        """Without the newest that the first run saved; what somebody saved on top of them shows all."""
        return tuple(dropwhile(self._is_hidden, versions))

    def _is_hidden(self, artifact: Artifact) -> bool:
        return (
            artifact.turn_id == self._turn_id
            and artifact.created_at >= self._repeated.since
            and artifact.filename not in self._repeated.settled
            and artifact.version > self._reached.get(artifact.key, 0)
        )


def _some(versions: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    if not versions:
        raise ArtifactNotFoundError("there is no such file in the session")
    return versions
