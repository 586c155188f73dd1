"""Object stores that fail, by a proxy before the real server or by the disk itself: nothing is half done."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.artifacts.local import LocalObjectStore
from shared.artifacts.port import PARTS_OVER, ObjectStore
from shared.artifacts.select import open_objects
from shared.errors import StoreUnavailableError
from shared.settings import read_settings
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.ports import free_port
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY

DATA = os.urandom(100_000)


@pytest.fixture(params=["s3", "gcs"])
def remote(request: pytest.FixtureRequest) -> ObjectPlace:
    found: ObjectPlace = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def proxy(remote: ObjectPlace) -> Iterator[FaultyProxy]:
    with faulty_proxy(remote.port) as running:
        yield running


@pytest.fixture
async def direct(remote: ObjectPlace) -> AsyncIterator[ObjectStore]:
    """The store itself, to see what has come to it."""
    opened = open_objects(read_settings(remote.variables))
    # Its client is made now, while the server's own address is the one in force.
    await opened.check()
    yield opened
    await opened.close()


@pytest.fixture
async def store(
    remote: ObjectPlace, proxy: FaultyProxy, direct: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ObjectStore]:
    """The store through the proxy; `direct` has made its own connections before."""
    opened = open_objects(read_settings(through(remote, proxy.url, monkeypatch)))
    yield opened
    await opened.close()


def through(place: ObjectPlace, url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    if place.kind == "gcs":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        return place.variables
    return {**place.variables, "MINIO_ENDPOINT": url}


async def keys(store: ObjectStore) -> set[str]:
    return {found.object_key async for found in store.list_objects()}


@pytest.mark.parametrize("status", [b"503 Slow Down", b"500 Internal Server Error", b"429 Too Many Requests"])
async def test_a_store_that_is_busy_is_asked_again(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy, status: bytes
) -> None:
    proxy.faults.status = status
    proxy.faults.refused = 2
    assert await store.put(object_key="k/1", data=DATA)
    proxy.faults.refused = 2
    assert await store.get(object_key="k/1") == DATA
    proxy.faults.refused = 2
    await store.delete(object_key="k/1")
    assert await keys(direct) == set()


async def test_a_store_that_stays_busy_is_unavailable_and_took_nothing(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy
) -> None:
    proxy.faults.refused = 1000
    for call in (
        store.put(object_key="k/1", data=DATA),
        store.get(object_key="k/1"),
        store.delete(object_key="k/1"),
        store.check(),
        keys(store),
    ):
        with pytest.raises(StoreUnavailableError):
            await call
    # The repeats are capped: four a call, one for health.
    assert len(proxy.faults.seen) <= 4 * 4 + 1
    assert await keys(direct) == set()


async def test_an_upload_that_is_cut_leaves_nothing_and_is_sent_again(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy
) -> None:
    proxy.faults.cut_upload = 2
    assert await store.put(object_key="k/1", data=DATA)
    assert await direct.get(object_key="k/1") == DATA
    proxy.faults.cut_upload = 1000
    with pytest.raises(StoreUnavailableError):
        await store.put(object_key="k/2", data=DATA)
    assert await keys(direct) == {"k/1"}


async def test_an_answer_that_is_lost_is_no_loss(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy
) -> None:
    """The first attempt was done: the second finds its own object, and not another's."""
    proxy.faults.lost_answer = 1
    assert await store.put(object_key="k/1", data=DATA)
    assert await direct.get(object_key="k/1") == DATA
    proxy.faults.lost_answer = 1
    assert not await store.put(object_key="k/1", data=b"another's")
    assert await direct.get(object_key="k/1") == DATA


async def test_a_download_that_is_cut_is_asked_for_again(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy
) -> None:
    await direct.put(object_key="k/1", data=DATA)
    proxy.faults.cut_answer = 2
    assert await store.get(object_key="k/1") == DATA


async def test_a_large_upload_that_is_cut_is_whole_or_not_there(
    store: ObjectStore, direct: ObjectStore, proxy: FaultyProxy
) -> None:
    data = os.urandom(PARTS_OVER + 100_000)
    # The first request asks whether the key is taken.
    proxy.faults.cut_upload = 2
    assert await store.put(object_key="large/1", data=data)
    assert await direct.get(object_key="large/1") == data
    proxy.faults.cut_upload = 1000
    with pytest.raises(StoreUnavailableError):
        await store.put(object_key="large/2", data=data)
    assert await keys(direct) == {"large/1"}


async def test_an_upload_bent_on_its_way_is_refused_by_the_store(
    s3_place: ObjectPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_proxy(s3_place.port) as proxy:
        store = open_objects(read_settings(through(s3_place, proxy.url, monkeypatch)))
        proxy.faults.bent_upload = 1000
        with pytest.raises(StoreUnavailableError):
            await store.put(object_key="k/1", data=DATA)
        proxy.faults.bent_upload = 0
        assert await store.get(object_key="k/1") is None


async def test_a_store_that_never_answers_holds_nobody_for_long(
    store: ObjectStore, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put(object_key="k/1", data=DATA)
    proxy.faults.silent = 1000
    started = time.monotonic()
    with pytest.raises(StoreUnavailableError):
        await store.check()
    assert time.monotonic() - started < 20
    monkeypatch.setattr("shared.artifacts.retry.CALL_SECONDS", 1.0)
    started = time.monotonic()
    for call in (store.put(object_key="k/2", data=DATA), store.get(object_key="k/1")):
        with pytest.raises(StoreUnavailableError):
            await call
    assert time.monotonic() - started < 20


async def test_one_silence_costs_one_attempt(
    store: ObjectStore, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put(object_key="k/1", data=DATA)
    monkeypatch.setattr("shared.artifacts.retry.ATTEMPT_SECONDS", 1.0)
    proxy.faults.silent = 1
    assert await store.put(object_key="k/2", data=DATA)
    proxy.faults.silent = 1
    assert await store.get(object_key="k/2") == DATA


async def test_a_store_that_is_not_there_is_unavailable(
    remote: ObjectPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    store = open_objects(read_settings(through(remote, nowhere, monkeypatch)))
    for call in (store.put(object_key="k/1", data=DATA), store.get(object_key="k/1"), store.check()):
        with pytest.raises(StoreUnavailableError) as failed:
            await call
        assert "127.0.0.1" not in str(failed.value)
    await store.close()


async def test_a_bucket_that_is_not_there_is_named(
    remote: ObjectPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {**remote.variables, "ARTIFACT_BUCKET": "no-such-bucket"}
    with faulty_proxy(remote.port) as proxy:
        if remote.kind == "s3":
            # SeaweedFS makes a bucket that is written to; MinIO and Amazon answer so.
            proxy.faults.refused = 1000
            proxy.faults.status = b"404 Not Found"
            proxy.faults.body = b"<Error><Code>NoSuchBucket</Code></Error>"
        store = open_objects(read_settings({**variables, **endpoint(remote, proxy, monkeypatch)}))
        for call in (
            *(store.put(object_key="k/1", data=DATA), store.get(object_key="k/1")),
            *(store.delete(object_key="k/1"), store.check(), keys(store)),
        ):
            with pytest.raises(StoreUnavailableError, match="no bucket 'no-such-bucket'"):
                await call
        await store.close()


async def test_wrong_credentials_are_refused_at_once_and_never_told(
    s3_place: ObjectPlace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "not-the-secret-key"
    store = open_objects(read_settings({**s3_place.variables, "MINIO_SECRET_KEY": secret}))
    for call in (store.put(object_key="k/1", data=DATA), store.get(object_key="k/1"), store.check()):
        with pytest.raises(StoreUnavailableError, match="SignatureDoesNotMatch") as failed:
            await call
        told = "".join(traceback.format_exception(failed.value)) + caplog.text
        assert not any(word in told for word in (secret, ACCESS_KEY, SECRET_KEY, s3_place.bucket))


def endpoint(place: ObjectPlace, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = through(place, proxy.url, monkeypatch)
    return {"MINIO_ENDPOINT": found["MINIO_ENDPOINT"]} if place.kind == "s3" else {}


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_disk_takes_nothing_and_keeps_what_it_has(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        store = LocalObjectStore(disk / "objects")
        assert await store.put(object_key="k/0", data=b"0" * 10_000)
        with pytest.raises(StoreUnavailableError):
            await store.put(object_key="k/1", data=b"1" * 2_000_000)
        assert await store.get(object_key="k/1") is None
        assert await store.get(object_key="k/0") == b"0" * 10_000
        assert list((disk / "objects" / "%aside").iterdir()) == []
        assert await store.put(object_key="k/1", data=b"1" * 10_000)


async def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file in the folder's place")
    store = LocalObjectStore(tmp_path / "objects")
    with pytest.raises(StoreUnavailableError):
        await store.put(object_key="k/1", data=b"1")
    with pytest.raises(StoreUnavailableError):
        await store.check()


@pytest.mark.parametrize("flag", [None, os.O_DIRECTORY], ids=["no such flag", "an older kernel"])
async def test_without_nameless_files_a_file_is_written_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: int | None
) -> None:
    if flag is None:
        monkeypatch.delattr(os, "O_TMPFILE")
    else:
        # What it is to a kernel that knows no nameless files: it opens the folder, and answers EISDIR.
        monkeypatch.setattr(os, "O_TMPFILE", flag)
    store = LocalObjectStore(tmp_path)
    assert await store.put(object_key="k/1", data=b"1")
    answers = await asyncio.gather(*(store.put(object_key="k/2", data=b"%d" % n) for n in range(8)))
    assert sorted(answers) == [False] * 7 + [True]
    assert await store.get(object_key="k/1") == b"1"
    assert await store.get(object_key="k/2") == b"%d" % answers.index(True)
    assert list((tmp_path / "%aside").iterdir()) == []
    assert await keys(store) == {"k/1", "k/2"}


async def test_what_a_dead_writer_left_aside_is_removed(tmp_path: Path) -> None:
    aside = tmp_path / "%aside"
    aside.mkdir()
    for name, age in (("old", 4000), ("new", 10)):
        (aside / name).write_bytes(b"half")
        os.utime(aside / name, (time.time() - age,) * 2)
    store = LocalObjectStore(tmp_path)
    await store.put(object_key="k/1", data=b"1")
    assert [left.name for left in aside.iterdir()] == ["new"]
    assert await keys(store) == {"k/1"}
