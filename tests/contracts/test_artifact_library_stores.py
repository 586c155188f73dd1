"""The artifact library over each object store: versions, races, direct downloads, what lies in the bucket."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import zstandard

from shared.artifacts.library import ArtifactLibrary
from shared.artifacts.port import PARTS_OVER, ObjectStore
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.sql.store import SqlStore
from shared.settings import read_settings
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.seaweedfs import SECRET_KEY, SeaweedServer

SESSION = SessionKey(user_id="u", session_id="s")


@dataclass
class House:
    library: ArtifactLibrary
    second: ArtifactLibrary
    objects: ObjectStore


@pytest.fixture
async def house(sqlite_url: str, place: ObjectPlace) -> AsyncIterator[House]:
    """Two libraries, as two processes have them, over one index and one object store."""
    objects = open_objects(read_settings(place.variables))
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=SESSION, title="", context={}, now=utc_now())
        first, second = (
            ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id) for _ in range(2)
        )
        yield House(first, second, objects)
    await objects.close()


def file(name: str) -> ArtifactKey:
    return ArtifactKey(session=SESSION, filename=name)


async def test_concurrent_saves_of_one_file_are_versions_in_some_order(house: House) -> None:
    libraries = (house.library, house.second)
    saved = await asyncio.gather(
        *(libraries[n % 2].save(key=file("main.py"), data=b"%d" % n) for n in range(24))
    )
    assert sorted(one.artifact.version for one in saved) == list(range(1, 25))
    for n, one in enumerate(saved):
        found = await house.library.read(key=file("main.py"), version=one.artifact.version)
        assert found.data == b"%d" % n


async def test_of_concurrent_saves_of_the_same_bytes_one_makes_a_version(house: House) -> None:
    saved = await asyncio.gather(
        *(library.save(key=file("a"), data=b"same") for library in (house.library, house.second) * 4)
    )
    assert {one.artifact.sha256 for one in saved} == {hashlib.sha256(b"same").hexdigest()}
    versions = await house.library.versions(key=file("a"))
    # Two processes may both find nothing there; each knows its own saves.
    assert len(versions) <= 2
    outcomes = [one.outcome for one in saved]
    assert outcomes.count("unchanged") == 8 - len(versions)


async def test_an_expected_version_lets_one_of_two_save(house: House) -> None:
    await house.library.save(key=file("a"), data=b"1", expected_version=0)
    results = await asyncio.gather(
        house.library.save(key=file("a"), data=b"2", expected_version=1),
        house.second.save(key=file("a"), data=b"3", expected_version=1),
        return_exceptions=True,
    )
    assert sum(isinstance(result, BaseException) for result in results) == 1


@pytest.mark.parametrize("size", [0, 1, 10_000, PARTS_OVER * 2])
async def test_any_bytes_come_back_as_they_went(house: House, size: int) -> None:
    data = os.urandom(size)
    saved = await house.library.save(key=file("data/all bytes é.bin"), data=data)
    assert saved.artifact.size == size
    found = await house.second.read(key=file("data/all bytes é.bin"))
    assert found.data == data


async def test_bytes_lie_where_the_contract_says(house: House) -> None:
    await house.library.save(key=file("src/main.py"), data=b"print(1)\n")
    keys = [found.object_key async for found in house.objects.list_objects()]
    assert keys == ["artifacts/s/src/main.py/1"]
    frame = await house.objects.get(object_key=keys[0])
    assert frame is not None
    assert zstandard.decompress(frame) == b"print(1)\n"


async def test_a_url_serves_what_is_stored(
    sqlite_url: str, s3_place: ObjectPlace, seaweedfs: SeaweedServer
) -> None:
    objects = open_objects(read_settings(s3_place.variables))
    async with await SqlStore.open(sqlite_url) as store:
        await store.create_session(key=SESSION, title="", context={}, now=utc_now())
        library = ArtifactLibrary(objects=objects, index=store, clock=utc_now, new_id=new_id)
        saved = await library.save(key=file("index.html"), data=b"<p>" * 1000)
        given = await library.direct_url(key=file("index.html"))
    assert SECRET_KEY not in given.url
    async with httpx.AsyncClient(trust_env=False) as client:
        # httpx undoes the zstd coding, as it is told to by the header.
        answer = await client.get(given.url)
        assert answer.content == b"<p>" * 1000
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["content-encoding"] == given.content_encoding == "zstd"
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-amz-meta-sha256"] == saved.artifact.sha256
        tampered = re.sub(r"Expires=\d+", "Expires=99999", given.url)
        assert (await client.get(tampered)).status_code == 403
        assert (await client.put(given.url, content=b"x")).status_code == 403
