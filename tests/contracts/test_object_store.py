"""What every object store keeps to; the local folder now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shared.artifacts.local import LocalObjectStore
from shared.artifacts.port import ObjectStore
from shared.errors import StoreUnavailableError

ODD_KEYS = [
    "artifacts/s/a/1",
    "artifacts/s/a/1/1",
    "artifacts/s/a/1%/1",
    "artifacts/s/a%/1",
    "artifacts/s/é ü/文件.py/1",
    "artifacts/s/" + "n" * 255 + "/1",
    "artifacts/s/" + "%" * 255 + "/1",
    "artifacts/s/a b?c#d&e=f/1",
]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return LocalObjectStore(tmp_path / "objects")


async def keys(store: ObjectStore, prefix: str) -> set[str]:
    return {key async for key in store.list_keys(prefix=prefix)}


async def test_bytes_come_back_and_a_key_is_written_once(store: ObjectStore) -> None:
    data = bytes(range(256)) * 100
    assert await store.put(object_key="artifacts/s/a/1", data=data)
    assert not await store.put(object_key="artifacts/s/a/1", data=b"other")
    assert await store.get(object_key="artifacts/s/a/1") == data


async def test_odd_keys_are_all_different_places(store: ObjectStore) -> None:
    for key in ODD_KEYS:
        assert await store.put(object_key=key, data=key.encode())
    for key in ODD_KEYS:
        assert await store.get(object_key=key) == key.encode()
    short = {key for key in ODD_KEYS if len(key) < 200}
    assert await keys(store, "artifacts/") >= short
    assert await keys(store, "artifacts/s/a/1/") == {"artifacts/s/a/1/1"}


async def test_of_many_writers_one_wins(store: ObjectStore) -> None:
    won = await asyncio.gather(*(store.put(object_key="k/1", data=b"%d" % n) for n in range(20)))
    assert sum(won) == 1
    assert await store.get(object_key="k/1") == b"%d" % won.index(True)


async def test_what_is_not_there(store: ObjectStore) -> None:
    assert await store.get(object_key="no/1") is None
    await store.delete(object_key="no/1")
    assert await keys(store, "") == set()


async def test_deleted_is_gone_and_the_key_is_free(store: ObjectStore) -> None:
    await store.put(object_key="k/1", data=b"1")
    await store.delete(object_key="k/1")
    assert await store.get(object_key="k/1") is None
    assert await store.put(object_key="k/1", data=b"2")


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file in the folder's place")
    store = LocalObjectStore(tmp_path / "objects")
    with pytest.raises(StoreUnavailableError):
        await store.put(object_key="k/1", data=b"1")
    with pytest.raises(StoreUnavailableError):
        await store.check()
