"""Zips that are streamed: memory holds what is being written, and the few files that are fetched ahead."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import IO, TypeVar, cast

from shared.artifact import Artifact

ReadBytes = Callable[[Artifact], Awaitable[bytes]]

T = TypeVar("T")

_FILES_AHEAD = 4
_BYTES_AHEAD = 8 * 1024 * 1024
# The same files give the same bytes: no time of day goes into the archive.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_DRIVE = re.compile(r"^([A-Za-z]):")


class StreamedZip:
    """An archive that is written from its beginning to its end, and given up as it is made.

    Members are deflated, with a fixed time: the same members give the same bytes.
    """

    def __init__(self) -> None:
        self._sink = _Sink()
        self._archive = zipfile.ZipFile(
            cast(IO[bytes], self._sink), "w", zipfile.ZIP_DEFLATED, compresslevel=6
        )

    def open(self, name: str) -> IO[bytes]:
        """A member to write to; it must be closed before the next one is opened."""
        return self._archive.open(_member(name), "w")

    def add(self, name: str, data: bytes) -> None:
        """A member that is there as a whole. Blocks for as long as deflating takes."""
        self._archive.writestr(_member(name), data)

    def take(self) -> bytes:
        """What was made since the last time."""
        return self._sink.take()

    def close(self) -> None:
        """Writes the directory at the end."""
        self._archive.close()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = _REGULAR_FILE
    member.create_system = 3  # Unix, on whatever machine the archive is made
    return member


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


async def zip_stream(read: ReadBytes, artifacts: tuple[Artifact, ...]) -> AsyncIterator[bytes]:
    """The archive's bytes, members by name, the same for the same files.

    `read` gives the bytes of a version; it is called for a few at a time, ahead of what is sent.
    """
    archive = StreamedZip()
    names = member_names(artifacts)
    async for artifact, data in fetched_ahead(read, sorted(artifacts, key=lambda item: item.filename)):
        await asyncio.to_thread(archive.add, names[artifact.filename], data)
        yield archive.take()
    archive.close()
    yield archive.take()


async def begun(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream, its first piece made already: what fails before it can still be answered with an error."""
    first = await anext(stream)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in stream:
            yield piece

    return whole()


def member_names(artifacts: tuple[Artifact, ...]) -> dict[str, str]:
    """The name in the archive of each filename: the same, but that none begins with a drive of Windows.

    The library holds only relative paths without `..`; `C:x` alone still leads out of the folder there.
    """
    names = {artifact.filename: artifact.filename for artifact in artifacts}
    taken = set(names)
    for filename in sorted(taken):
        name = _DRIVE.sub(r"\1_", filename)
        while name != filename and name in taken:
            name = f"_{name}"
        taken.add(name)
        names[filename] = name
    return names


async def fetched_ahead(
    read: Callable[[Artifact], Awaitable[T]], artifacts: Sequence[Artifact]
) -> AsyncIterator[tuple[Artifact, T]]:
    """Each version with its bytes, in order, a few files and megabytes of them being fetched meanwhile."""
    left = deque(artifacts)
    fetching: deque[tuple[Artifact, asyncio.Future[T]]] = deque()
    try:
        while left or fetching:
            while left and (not fetching or _has_room(fetching, left[0])):
                artifact = left.popleft()
                fetching.append((artifact, asyncio.ensure_future(read(artifact))))
            artifact, data = fetching.popleft()
            yield artifact, await data
    finally:
        for _, data in fetching:
            data.cancel()
        # Their failures are nobody's any more: the stream has ended.
        await asyncio.gather(*(data for _, data in fetching), return_exceptions=True)


def _has_room(fetching: deque[tuple[Artifact, asyncio.Future[T]]], following: Artifact) -> bool:
    held = sum(artifact.size for artifact, _ in fetching) + following.size
    return len(fetching) < _FILES_AHEAD and held <= _BYTES_AHEAD
