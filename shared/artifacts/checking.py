"""Whether every version that a record names has its bytes: asked after a restore, or when in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.artifacts.port import Artifacts
from shared.errors import ArtifactNotFoundError, DamagedError, SessionNotFoundError
from shared.keys import ArtifactKey
from shared.sessions.retention_port import FilePage, KeptFile

_PAGE = 100
_AT_ONCE = 8


class Files(Protocol):
    """What is asked of the session store (`RetentionStore`)."""

    async def list_files(self, *, after: str | None, limit: int) -> FilePage:
        """See `RetentionStore.list_files`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedVersion:
    """One version: `good`, `bad` (its bytes are missing or others), or `gone`, with its record, meanwhile."""

    key: ArtifactKey
    version: int
    found: Literal["good", "bad", "gone"]


async def check_versions(*, files: Files, artifacts: Artifacts) -> AsyncIterator[CheckedVersion]:
    """Every version of every file of sessions that are not deleted, read and compared with its hash.

    Changes nothing, and may run beside traffic: a version that is removed meanwhile is `gone`.

    Raises:
        StoreUnavailableError: the database or the object store does not answer.
    """
    after: str | None = None
    while True:
        page = await files.list_files(after=after, limit=_PAGE)
        wanted = [(file.key, version) for file in page.files for version in _numbers(file)]
        for begin in range(0, len(wanted), _AT_ONCE):
            some = wanted[begin : begin + _AT_ONCE]
            for checked in await asyncio.gather(*(_check(artifacts, *each) for each in some)):
                yield checked
        after = page.after
        if after is None:
            return


def _numbers(file: KeptFile) -> tuple[int, ...]:
    # A deleted session and a deleted file are not served, and retention takes their bytes at its own time.
    if file.session_deleted or file.deleted_at is not None:
        return ()
    return tuple(each.version for each in file.versions)


async def _check(artifacts: Artifacts, key: ArtifactKey, version: int) -> CheckedVersion:
    found: Literal["good", "bad", "gone"] = "good"
    try:
        await artifacts.read(key=key, version=version)
    except DamagedError:
        found = "bad"
    except (ArtifactNotFoundError, SessionNotFoundError):
        found = "gone"
    return CheckedVersion(key=key, version=version, found=found)
