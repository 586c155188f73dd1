"""The zip of a session's files: its memory, its order of fetching, its names, its failures."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest

from shared.artifact import Artifact
from shared.artifacts.zipped import begun, member_names, zip_stream
from shared.errors import StoreUnavailableError
from shared.keys import ArtifactKey, SessionKey
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.zipping_process import SIZE

SESSION = SessionKey(user_id="u", session_id="s")


def artifact(name: str, size: int = 1) -> Artifact:
    return Artifact(
        key=ArtifactKey(session=SESSION, filename=name),
        version=1,
        type="other",
        mime_type="text/plain",
        size=size,
        sha256="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        object_key=name,
    )


class Reader:
    """Answers with the filename, and counts how many reads are open at once."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.open: set[str] = set()
        self.most_files = self.most_bytes = 0
        self.sizes: dict[str, int] = {}

    async def __call__(self, found: Artifact) -> bytes:
        self.open.add(found.filename)
        self.sizes[found.filename] = found.size
        self.most_files = max(self.most_files, len(self.open))
        self.most_bytes = max(self.most_bytes, sum(self.sizes[name] for name in self.open))
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if found.filename == self.fails_at:
                raise StoreUnavailableError("gone")
            return found.filename.encode()
        finally:
            self.open.discard(found.filename)


async def whole(reader: Reader, *artifacts: Artifact) -> bytes:
    return b"".join([piece async for piece in zip_stream(reader, artifacts)])


# A third run, over Cloud Storage, would only measure zlib again. Over S3 a save costs more than a zip.
@pytest.mark.parametrize(("kind", "files"), [("local", 500), ("s3", 160)])
def test_memory_does_not_grow_with_the_files(
    kind: str, files: int, request: pytest.FixtureRequest, sqlite_url: str
) -> None:
    place: ObjectPlace = request.getfixturevalue(f"{kind}_place")
    done = subprocess.run(
        [sys.executable, "-m", "tests.servers.zipping_process", sqlite_url, str(files)],
        env={**os.environ, **place.variables},
        capture_output=True,
        timeout=110,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["size"] > files * SIZE // 64
    assert told["grown"] < 64 * 1024 * 1024


async def test_files_are_fetched_ahead_a_few_at_a_time() -> None:
    reader = Reader()
    names = [f"{number:02}" for number in range(30)]
    archive = zipfile.ZipFile(io.BytesIO(await whole(reader, *map(artifact, reversed(names)))))
    assert archive.namelist() == names
    assert all(archive.read(name) == name.encode() for name in names)
    assert reader.most_files == 4


async def test_large_files_are_not_fetched_together() -> None:
    reader = Reader()
    await whole(reader, *(artifact(str(n), size=5 * 1024 * 1024) for n in range(5)))
    assert reader.most_files == 1
    await whole(reader, artifact("huge", size=25 * 1024 * 1024), artifact("small"))
    assert reader.most_bytes == 25 * 1024 * 1024


async def test_a_failure_before_the_first_piece_can_still_be_told() -> None:
    reader = Reader(fails_at="a")
    with pytest.raises(StoreUnavailableError):
        await begun(zip_stream(reader, (artifact("a"), artifact("b"))))
    assert reader.open == set()


async def test_a_reader_that_goes_away_leaves_nothing_open() -> None:
    reader = Reader()
    stream = zip_stream(reader, tuple(artifact(str(n)) for n in range(9)))
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    assert reader.open == set()


async def test_names_stay_but_for_drives() -> None:
    names = ["C:evil.py", "C_evil.py", "c:/x", "_C_evil.py", "a:b/c:d", "src/C:x", "é 文.py", "ab:c"]
    found = member_names(tuple(artifact(name) for name in names))
    assert found["C:evil.py"] == "__C_evil.py"
    assert found["c:/x"] == "c_/x"
    assert found["a:b/c:d"] == "a_b/c:d"
    unchanged = ("C_evil.py", "_C_evil.py", "src/C:x", "é 文.py", "ab:c")
    assert all(found[name] == name for name in unchanged)
    assert len(set(found.values())) == len(names)
    archive = zipfile.ZipFile(io.BytesIO(await whole(Reader(), *map(artifact, names))))
    assert set(archive.namelist()) == set(found.values())


async def test_the_same_files_give_the_same_bytes() -> None:
    names = [artifact(name) for name in ("b", "a", "c/é")]
    assert await whole(Reader(), *names) == await whole(Reader(), *reversed(names))
