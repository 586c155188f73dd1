"""What every object store keeps to: a local folder, a bucket of S3, a bucket of Cloud Storage."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.artifacts.port import PARTS_OVER, ObjectFacts, ObjectStore
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.settings import read_settings
from tests.servers.object_fixtures import ObjectPlace

ODD_KEYS = [
    "artifacts/s/a/1",
    "artifacts/s/a/1/1",
    "artifacts/s/a/1%/1",
    "artifacts/s/a%/1",
    "artifacts/s/a%2Fb/1",
    "artifacts/s/a%252Fb/1",
    "artifacts/s/a/b/1",
    "artifacts/s/é ü/文件.py/1",
    "artifacts/s/📈.py/1",
    "artifacts/s/" + "n" * 255 + "/1",
    "artifacts/s/" + "n" * 253 + "/1",
    "artifacts/s/" + "%" * 255 + "/1",
    "artifacts/s/" + "文" * 85 + "/1",
    "artifacts/s/a b?c#d&e=f+g/1",
    "artifacts/s/Main.py/1",
    "artifacts/s/main.py/1",
    "artifacts/s/main.py/1.01993c5e-0000-7000-8000-000000000000",
]


@pytest.fixture
async def store(place: ObjectPlace) -> AsyncIterator[ObjectStore]:
    opened = open_objects(read_settings(place.variables))
    yield opened
    await opened.close()


async def keys(store: ObjectStore, folder: str = "") -> set[str]:
    return {found.object_key async for found in store.list_objects(folder=folder)}


async def test_bytes_come_back_and_a_key_is_written_once(store: ObjectStore) -> None:
    data = bytes(range(256)) * 100
    assert await store.put(object_key="artifacts/s/a/1", data=data)
    assert not await store.put(object_key="artifacts/s/a/1", data=b"other")
    assert await store.get(object_key="artifacts/s/a/1") == data


async def test_nothing_is_bytes_too(store: ObjectStore) -> None:
    assert await store.put(object_key="k/1", data=b"")
    assert await store.get(object_key="k/1") == b""
    assert not await store.put(object_key="k/1", data=b"1")


async def test_odd_keys_are_all_different_places(store: ObjectStore) -> None:
    for key in ODD_KEYS:
        assert await store.put(object_key=key, data=key.encode())
    for key in ODD_KEYS:
        assert await store.get(object_key=key) == key.encode()
    assert await keys(store) == set(ODD_KEYS)
    for key in ODD_KEYS[:-3]:
        await store.delete(object_key=key)
    assert await keys(store) == set(ODD_KEYS[-3:])


async def test_a_listing_knows_whole_segments_sizes_and_times(store: ObjectStore) -> None:
    before = utc_now() - timedelta(seconds=5)
    for key in ("a/b/1", "a/b/c/1", "a/bc/1", "ab/1"):
        await store.put(object_key=key, data=b"12345")
    assert await keys(store, "a/b") == await keys(store, "a/b/") == {"a/b/1", "a/b/c/1"}
    assert await keys(store, "a") == {"a/b/1", "a/b/c/1", "a/bc/1"}
    assert await keys(store, "none") == set()
    found = [item async for item in store.list_objects(folder="ab")]
    assert [item.size for item in found] == [5]
    assert before < found[0].modified_at < utc_now() + timedelta(seconds=5)


async def test_a_listing_goes_over_its_pages(store: ObjectStore) -> None:
    wanted = {f"many/{n}/1" for n in range(1050)}
    for start in range(0, 1050, 50):
        chunk = sorted(wanted)[start : start + 50]
        await asyncio.gather(*(store.put(object_key=key, data=b"") for key in chunk))
    assert await keys(store, "many") == wanted


async def test_of_many_writers_one_wins(store: ObjectStore) -> None:
    won = await asyncio.gather(*(store.put(object_key="k/1", data=b"%d" % n) for n in range(20)))
    assert sum(won) == 1
    assert await store.get(object_key="k/1") == b"%d" % won.index(True)


async def test_large_objects_go_in_parts_and_come_back(store: ObjectStore) -> None:
    data = os.urandom(PARTS_OVER + 12_345)
    about = ObjectFacts(content_type="text/csv", content_encoding="zstd", facts={"sha256": "ab"})
    assert await store.put(object_key="large/1", data=data, about=about)
    assert not await store.put(object_key="large/1", data=data[::-1])
    assert await store.get(object_key="large/1") == data


async def test_what_is_not_there(store: ObjectStore) -> None:
    assert await store.get(object_key="no/1") is None
    await store.delete(object_key="no/1")
    assert await keys(store) == set()


async def test_deleted_is_gone_and_the_key_is_free(store: ObjectStore) -> None:
    await store.put(object_key="k/1", data=b"1")
    await store.delete(object_key="k/1")
    assert await store.get(object_key="k/1") is None
    assert await store.put(object_key="k/1", data=b"2")


async def test_a_caller_who_gives_up_leaves_a_store_that_works(store: ObjectStore) -> None:
    given_up = [asyncio.create_task(store.put(object_key=f"c/{n}", data=b"x" * 100_000)) for n in range(8)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    assert await store.put(object_key="after/1", data=b"1")
    for n in range(8):
        assert await store.get(object_key=f"c/{n}") in (None, b"x" * 100_000)


async def test_a_working_store_is_healthy(store: ObjectStore) -> None:
    await store.check()
