"""The artifact library over both databases: versions, races, damage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.artifacts.paths import local_path
from shared.clock import utc_now
from shared.errors import SessionNotFoundError, StoreUnavailableError, TooLargeError, VersionConflictError
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.sql.store import SqlStore

SESSION = SessionKey(user_id="u", session_id="s")


@dataclass
class House:
    library: ArtifactLibrary
    store: SqlStore
    folder: Path


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "objects"
    async with await SqlStore.open(database_url) as store:
        await store.create_session(key=SESSION, title="", context={}, now=utc_now())
        library = ArtifactLibrary(objects=LocalObjectStore(folder), index=store, clock=utc_now, new_id=new_id)
        yield House(library, store, folder)


def file(name: str, session: SessionKey = SESSION) -> ArtifactKey:
    return ArtifactKey(session=session, filename=name)


async def test_eight_writers_get_eight_versions(house: House) -> None:
    saved = await asyncio.gather(*(house.library.save(key=file("main.py"), data=b"%d" % n) for n in range(8)))
    assert sorted(s.artifact.version for s in saved) == list(range(1, 9))
    for one in saved:
        found = await house.library.read(key=file("main.py"), version=one.artifact.version)
        assert found.data == b"%d" % saved.index(one)


async def test_two_users_with_one_session_id_never_meet(house: House) -> None:
    other = SessionKey(user_id="v", session_id="s")
    await house.store.create_session(key=other, title="", context={}, now=utc_now())
    await house.library.save(key=file("main.py"), data=b"mine")
    await house.library.save(key=file("main.py", other), data=b"theirs")
    assert (await house.library.read(key=file("main.py"))).data == b"mine"
    assert (await house.library.read(key=file("main.py", other))).data == b"theirs"
    stranger = SessionKey(user_id="w", session_id="s")
    with pytest.raises(SessionNotFoundError):
        await house.library.read(key=file("main.py", stranger))
    with pytest.raises(SessionNotFoundError):
        await house.library.save(key=file("main.py", stranger), data=b"")


async def test_an_expected_version_lets_one_of_two_save(house: House) -> None:
    await house.library.save(key=file("a"), data=b"1", expected_version=0)
    results = await asyncio.gather(
        *(house.library.save(key=file("a"), data=b"%d" % n, expected_version=1) for n in (2, 3)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, VersionConflictError) for result in results) == 1


async def test_an_orphan_of_a_crash_is_in_nobodys_way(house: House) -> None:
    objects = LocalObjectStore(house.folder)
    await objects.put(object_key="artifacts/s/a/1", data=b"bytes without a record")
    saved = await house.library.save(key=file("a"), data=b"1")
    assert saved.artifact.version == 1
    assert saved.artifact.object_key != "artifacts/s/a/1"
    assert (await house.library.read(key=file("a"))).data == b"1"


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
async def test_damaged_bytes_are_never_served(house: House, damage: str) -> None:
    saved = await house.library.save(key=file("a"), data=b"x" * 1000)
    path = local_path(house.folder, saved.artifact.object_key)
    frame = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        frame[len(frame) // 2] ^= 0xFF
        path.write_bytes(frame if damage == "flip" else frame[:-3])
    with pytest.raises(StoreUnavailableError):
        await house.library.read(key=file("a"))


async def test_a_session_has_a_limited_number_of_files(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.artifacts.library.MAX_FILES", 3)
    for name in "abc":
        await house.library.save(key=file(name), data=b"")
    with pytest.raises(TooLargeError):
        await house.library.save(key=file("d"), data=b"")
    await house.library.save(key=file("a"), data=b"a further version is no further file")
