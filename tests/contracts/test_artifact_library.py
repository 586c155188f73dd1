"""The artifact library over both databases: versions, races, damage."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from shared.artifact import Artifact
from shared.artifacts.library import MAX_FILE_BYTES, MAX_FILES, ArtifactLibrary
from shared.artifacts.local import LocalObjectStore
from shared.artifacts.paths import local_path
from shared.clock import utc_now
from shared.errors import (
    ArtifactNotFoundError,
    SessionConflictError,
    SessionNotFoundError,
    StoreUnavailableError,
    TooLargeError,
    UnprocessableError,
    VersionConflictError,
)
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.artifact_port import ArtifactIndex
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import new_turn

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


async def test_a_session_has_a_limited_number_of_files(house: House) -> None:
    library = limited(house, max_files=3)
    for name in "abc":
        await library.save(key=file(name), data=b"")
    with pytest.raises(TooLargeError):
        await library.save(key=file("d"), data=b"")
    await library.save(key=file("a"), data=b"a further version is no further file")


async def test_a_file_has_a_limited_size_and_a_lower_limit_hides_nothing(house: House) -> None:
    await house.library.save(key=file("a"), data=b"x" * 11)
    library = limited(house, max_file_bytes=10)
    with pytest.raises(TooLargeError) as refused:
        await library.save(key=file("b"), data=b"x" * 11)
    assert refused.value.details["limit"] == 10
    await library.save(key=file("b"), data=b"x" * 10)
    assert (await library.read(key=file("a"))).data == b"x" * 11


async def test_an_old_version_comes_back_as_a_new_one(house: House) -> None:
    for data in (b"one", b"two"):
        await house.library.save(key=file("a"), data=data, quality_score=90)
    restored = await house.library.restore(key=file("a"), version=1, expected_version=2)
    assert (restored.outcome, restored.artifact.version, restored.artifact.quality_score) == (
        "updated",
        3,
        90,
    )
    assert (await house.library.read(key=file("a"))).data == b"one"
    again = await house.library.restore(key=file("a"), version=1)
    assert (again.outcome, again.artifact.version) == ("unchanged", 3)
    with pytest.raises(VersionConflictError):
        await house.library.restore(key=file("a"), version=2, expected_version=2)
    with pytest.raises(ArtifactNotFoundError):
        await house.library.restore(key=file("a"), version=9)


async def test_a_name_is_one_name_however_it_is_composed(house: House) -> None:
    decomposed = unicodedata.normalize("NFD", "é.py")
    await house.library.save(key=file(decomposed), data=b"1")
    assert (await house.library.read(key=file("é.py"))).data == b"1"
    assert (await house.library.read(key=file(decomposed))).data == b"1"
    assert len(await house.library.versions(key=file(decomposed))) == 1
    await house.library.delete(key=file(decomposed))
    assert await house.library.list(session=SESSION) == ()


async def test_a_version_goes_with_the_turn_that_saved_it(house: House) -> None:
    saved = await house.library.save(key=file("a"), data=b"1")
    assert saved.artifact.turn_id is None
    turn = new_turn(SESSION, utc_now())
    await house.store.begin_turn(new=turn)
    saved = await house.library.save(key=file("a"), data=b"2", turn_id=turn.turn_id)
    assert (saved.artifact.version, saved.artifact.turn_id) == (2, turn.turn_id)
    await house.store.begin_turn(new=new_turn(SESSION, utc_now(), if_busy="rollback"))
    assert (await house.library.read(key=file("a"))).data == b"1"
    with pytest.raises(SessionConflictError):
        await house.library.save(key=file("a"), data=b"3", turn_id=turn.turn_id)
    # Its number is not given again.
    assert (await house.library.save(key=file("a"), data=b"4")).artifact.version == 3


class TakenNumbers:
    """An index some of whose numbers are taken by versions that no longer are, as after a rollback."""

    def __init__(self, store: SqlStore, taken: int) -> None:
        self._store = store
        self._taken = taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def add_version(self, *, artifact: Artifact, **rest: Any) -> bool:
        return artifact.version > self._taken and await self._store.add_version(artifact=artifact, **rest)


@pytest.mark.parametrize("taken", [1, 2, 7, 5000])
async def test_numbers_of_versions_that_were_rolled_back_are_passed_over(house: House, taken: int) -> None:
    library = ArtifactLibrary(
        objects=LocalObjectStore(house.folder),
        index=cast(ArtifactIndex, TakenNumbers(house.store, taken)),
        clock=utc_now,
        new_id=new_id,
    )
    saved = await library.save(key=file("a"), data=b"1", expected_version=0)
    assert taken < saved.artifact.version <= 2 * taken
    assert (await library.save(key=file("a"), data=b"2")).artifact.version == saved.artifact.version + 1


class Counted:
    """An index that counts the questions of which version is newest."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def newest(self, *, key: ArtifactKey) -> Artifact | None:
        self.asked += 1
        return await self._store.newest(key=key)


def beside(house: House, clock: Callable[[], datetime] = utc_now) -> tuple[ArtifactLibrary, Counted]:
    """Another process's library of the same files."""
    index = Counted(house.store)
    objects = LocalObjectStore(house.folder)
    library = ArtifactLibrary(objects=objects, index=cast(ArtifactIndex, index), clock=clock, new_id=new_id)
    return library, index


async def test_a_process_that_saved_a_file_need_not_ask_and_may_be_behind(house: House) -> None:
    library, index = beside(house)
    for number in (1, 2, 3):
        saved = await library.save(key=file("a"), data=b"%d" % number)
        assert (saved.artifact.version, index.asked) == (number, 1)
    for number in (4, 5):
        await house.library.save(key=file("a"), data=b"theirs %d" % number)
    # Two that it does not know of: none is lost, and the number is the next.
    saved = await library.save(key=file("a"), data=b"6")
    assert (saved.artifact.version, saved.outcome) == (6, "updated")
    found = await library.versions(key=file("a"))
    read = [await library.read_bytes(artifact=artifact) for artifact in reversed(found)]
    assert read == [b"1", b"2", b"3", b"theirs 4", b"theirs 5", b"6"]


async def test_a_process_that_is_behind_answers_by_what_is_there(house: House) -> None:
    library, _ = beside(house)
    await library.save(key=file("a"), data=b"mine")
    await house.library.save(key=file("a"), data=b"theirs")
    assert (await library.save(key=file("a"), data=b"theirs")).outcome == "unchanged"
    # What it saved itself is not the newest any more, so it is a version again.
    again = await library.save(key=file("a"), data=b"mine")
    assert (again.outcome, again.artifact.version) == ("updated", 3)
    await house.library.save(key=file("a"), data=b"later")
    with pytest.raises(VersionConflictError) as conflict:
        await library.save(key=file("a"), data=b"x", expected_version=3)
    assert conflict.value.details["current_version"] == 4
    await house.library.delete(key=file("a"))
    assert (await library.save(key=file("a"), data=b"mine")).artifact.version == 5


async def test_what_a_turn_saved_is_asked_for_as_it_may_be_rolled_back(house: House) -> None:
    library, index = beside(house)
    turn = new_turn(SESSION, utc_now())
    await house.store.begin_turn(new=turn)
    for number in (1, 2):
        await library.save(key=file("a"), data=b"%d" % number, turn_id=turn.turn_id)
    assert index.asked == 1
    await house.store.begin_turn(new=new_turn(SESSION, utc_now(), if_busy="rollback"))
    saved = await library.save(key=file("a"), data=b"3")
    assert saved.outcome == "created"
    assert saved.artifact.version > 2


async def test_what_was_saved_long_ago_is_asked_for(house: House) -> None:
    hours = iter(range(1000))
    library, index = beside(house, lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=next(hours)))
    for number in (1, 2):
        await library.save(key=file("a"), data=b"%d" % number)
    assert index.asked == 2


class Bent(LocalObjectStore):
    """A store whose first answer is bent on its way."""

    asked = 0

    async def get(self, *, object_key: str) -> bytes | None:
        self.asked += 1
        frame = await super().get(object_key=object_key)
        return frame[::-1] if frame and self.asked == 1 else frame


async def test_bytes_bent_on_their_way_are_asked_for_again(house: House) -> None:
    library = ArtifactLibrary(objects=Bent(house.folder), index=house.store, clock=utc_now, new_id=new_id)
    await library.save(key=file("a"), data=b"1" * 100)
    assert (await library.read(key=file("a"))).data == b"1" * 100


async def test_a_folder_gives_no_urls(house: House) -> None:
    await house.library.save(key=file("a"), data=b"1")
    with pytest.raises(UnprocessableError):
        await house.library.direct_url(key=file("a"))


def limited(
    house: House, *, max_file_bytes: int = MAX_FILE_BYTES, max_files: int = MAX_FILES
) -> ArtifactLibrary:
    return ArtifactLibrary(
        objects=LocalObjectStore(house.folder),
        index=house.store,
        clock=utc_now,
        new_id=new_id,
        max_file_bytes=max_file_bytes,
        max_files=max_files,
    )
