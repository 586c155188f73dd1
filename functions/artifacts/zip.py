"""A session's files as one zip, streamed: memory holds one file at a time."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from typing import IO, cast

from shared.artifact import Artifact
from shared.artifacts.port import Artifacts
from shared.keys import ArtifactKey

# The same files give the same bytes: no time of day goes into the archive.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16


class _Sink:
    """A file that cannot be rewound, and gives up what was written to it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)


async def zip_stream(library: Artifacts, artifacts: tuple[Artifact, ...]) -> AsyncIterator[bytes]:
    """The archive's bytes, deflated, members by name, the same for the same files.

    Names need no cleaning: the library holds only relative paths without `..`.
    """
    sink = _Sink()
    archive = zipfile.ZipFile(cast(IO[bytes], sink), "w", zipfile.ZIP_DEFLATED, compresslevel=6)
    for artifact in sorted(artifacts, key=lambda item: item.filename):
        key = ArtifactKey(session=artifact.key.session, filename=artifact.filename)
        found = await library.read(key=key, version=artifact.version)
        member = zipfile.ZipInfo(artifact.filename, _EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = _REGULAR_FILE
        member.create_system = 3  # Unix, on whatever machine the archive is made
        await asyncio.to_thread(archive.writestr, member, found.data)
        yield sink.take()
    archive.close()
    yield sink.take()
