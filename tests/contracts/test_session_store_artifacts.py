"""The contract of `ArtifactIndex`, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, SessionNotFoundError, TooLargeError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.port import Store
from tests.contracts.session_values import SetClock, artifact, event, session_key

MAIN = "main.py"


@pytest.fixture
async def session(store: Store, clock: SetClock, key: SessionKey) -> SessionKey:
    """A session that is there."""
    await store.create_session(key=key, title="", context={}, now=clock.now)
    return key


async def add(store: Store, record: Artifact, max_files: int = 100) -> bool:
    return await store.add_version(artifact=record, max_files=max_files)


def file_key(session: SessionKey, filename: str = MAIN) -> ArtifactKey:
    return ArtifactKey(session=session, filename=filename)


async def test_a_version_is_read_as_it_was_recorded(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    record = artifact(session, clock.now)
    assert await store.add_version(artifact=record, max_files=1, events=(event(),))
    for found in (
        await store.newest(key=record.key),
        await store.load_version(key=record.key, version=None),
        await store.load_version(key=record.key, version=1),
        *await store.list_artifacts(session=session),
        *await store.list_versions(key=record.key),
    ):
        assert found == record
        assert found.findings == record.findings


async def test_a_number_is_taken_once(store: Store, clock: SetClock, session: SessionKey) -> None:
    first = artifact(session, clock.now)
    assert await add(store, first)
    assert not await add(store, artifact(session, clock.now))
    assert await add(store, artifact(session, clock.now, version=2))
    assert not await add(store, artifact(session, clock.now))
    assert await store.load_version(key=first.key, version=1) == first
    assert [found.version for found in await store.list_versions(key=first.key)] == [2, 1]
    assert [found.version for found in await store.list_artifacts(session=session)] == [2]


async def test_writers_at_once_get_numbers_of_their_own(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    async def save() -> int:
        while True:
            newest = await store.newest(key=file_key(session))
            version = newest.version + 1 if newest else 1
            if await add(store, artifact(session, clock.now, version=version)):
                return version

    async with asyncio.timeout(30):
        versions = await asyncio.gather(*(save() for _ in range(8)))
    assert sorted(versions) == list(range(1, 9))
    newest = await store.newest(key=file_key(session))
    assert newest is not None
    assert newest.version == 8


async def test_a_session_holds_so_many_files(store: Store, clock: SetClock, session: SessionKey) -> None:
    for name in ("a", "b"):
        assert await add(store, artifact(session, clock.now, name), max_files=2)
    with pytest.raises(TooLargeError):
        await add(store, artifact(session, clock.now, "c"), max_files=2)
    assert await add(store, artifact(session, clock.now, "a", 2), max_files=2)
    await store.delete_artifact(key=file_key(session, "b"), now=clock.now)
    assert await add(store, artifact(session, clock.now, "c"), max_files=2)
    with pytest.raises(TooLargeError):
        await add(store, artifact(session, clock.now, "b", 2), max_files=2)


async def test_the_limit_of_files_holds_for_writers_at_once(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    results = await asyncio.gather(
        *(add(store, artifact(session, clock.now, f"f{n}"), max_files=3) for n in range(8)),
        return_exceptions=True,
    )
    assert results.count(True) == 3
    assert sum(isinstance(result, TooLargeError) for result in results) == 5
    assert len(await store.list_artifacts(session=session)) == 3


async def test_a_deleted_file_keeps_its_versions_and_comes_back_with_the_next(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    record = artifact(session, clock.now)
    await add(store, record)
    await store.delete_artifact(key=record.key, now=clock.now)
    clock.pass_time(1)
    assert await store.list_artifacts(session=session) == ()
    assert await store.newest(key=record.key) == record
    assert await store.load_version(key=record.key, version=1) == record
    for attempt in (
        store.load_version(key=record.key, version=None),
        store.delete_artifact(key=record.key, now=clock.now),
    ):
        with pytest.raises(ArtifactNotFoundError):
            await attempt
    assert not await add(store, artifact(session, clock.now))
    assert await add(store, artifact(session, clock.now, version=2))
    assert [found.version for found in await store.list_artifacts(session=session)] == [2]


async def test_what_is_not_there_is_not_found(store: Store, clock: SetClock, session: SessionKey) -> None:
    assert await store.newest(key=file_key(session)) is None
    await add(store, artifact(session, clock.now))
    for attempt in (
        store.load_version(key=file_key(session), version=2),
        store.load_version(key=file_key(session, "other"), version=None),
        store.list_versions(key=file_key(session, "other")),
        store.delete_artifact(key=file_key(session, "other"), now=clock.now),
    ):
        with pytest.raises(ArtifactNotFoundError):
            await attempt


@pytest.mark.parametrize("deleted", [True, False])
async def test_without_a_session_there_are_no_files(
    store: Store, clock: SetClock, key: SessionKey, deleted: bool
) -> None:
    if deleted:
        await store.create_session(key=key, title="", context={}, now=clock.now)
        await add(store, artifact(key, clock.now))
        await store.delete_session(key=key, now=clock.now)
    for attempt in (
        add(store, artifact(key, clock.now, version=2)),
        store.load_version(key=file_key(key), version=1),
        store.list_artifacts(session=key),
        store.list_versions(key=file_key(key)),
        store.delete_artifact(key=file_key(key), now=clock.now),
    ):
        with pytest.raises(SessionNotFoundError):
            await attempt
    assert await store.newest(key=file_key(key)) is None


async def test_two_users_with_one_session_id_have_their_own_files(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    other = session_key("bob")
    mine = artifact(session, clock.now)
    await add(store, mine)
    with pytest.raises(SessionNotFoundError):
        await store.load_version(key=file_key(other), version=1)
    await store.create_session(key=other, title="", context={}, now=clock.now)
    assert await store.list_artifacts(session=other) == ()
    assert await store.newest(key=file_key(other)) is None
    for attempt in (
        store.load_version(key=file_key(other), version=None),
        store.list_versions(key=file_key(other)),
        store.delete_artifact(key=file_key(other), now=clock.now),
    ):
        with pytest.raises(ArtifactNotFoundError):
            await attempt
    assert await add(store, replace(artifact(other, clock.now), size=1))
    await store.delete_artifact(key=file_key(other), now=clock.now)
    assert await store.list_artifacts(session=session) == (mine,)


async def test_files_are_listed_by_name_as_code_points_order_them(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    names = ["Z.py", "a.py", "a/b.py", "_x", "é.md", "\U0001f916.md", "\u20ac" * 85]
    for name in names:
        await add(store, artifact(session, clock.now, name))
    assert [found.filename for found in await store.list_artifacts(session=session)] == sorted(names)


async def test_of_one_number_at_once_one_writer_gets_it(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    results = await asyncio.gather(*(add(store, artifact(session, clock.now)) for _ in range(8)))
    assert results.count(True) == 1
