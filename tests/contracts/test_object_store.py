"""What every object store keeps to: a local folder, a bucket of S3, a bucket of Cloud Storage."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from shared.artifacts.gcs import GcsObjectStore
from shared.artifacts.port import PARTS_OVER, ObjectFacts, ObjectStore
from shared.artifacts.select import open_objects
from shared.clock import utc_now
from shared.errors import ConfigurationError, StoreUnavailableError
from shared.settings import read_settings
from tests.servers.object_fixtures import ObjectPlace
from tests.servers.seaweedfs import SeaweedServer

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


@pytest.mark.parametrize(
    "endpoint", ["127.0.0.1:{port}", "http://127.0.0.1:{port}", "http://127.0.0.1:{port}/"]
)
async def test_an_endpoint_is_taken_as_minio_takes_it(s3_place: ObjectPlace, endpoint: str) -> None:
    variables = {**s3_place.variables, "MINIO_ENDPOINT": endpoint.format(port=s3_place.port)}
    store = open_objects(read_settings(variables))
    assert await store.put(object_key="k/1", data=b"1")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "MINIO_ENDPOINT"),
        ({"MINIO_ENDPOINT": "http://a"}, "MINIO_ACCESS_KEY"),
        ({"MINIO_ENDPOINT": "http://a", "MINIO_ACCESS_KEY": "hidden"}, "MINIO_SECRET_KEY"),
        *(
            ({"MINIO_ENDPOINT": wrong, "MINIO_ACCESS_KEY": "hidden", "MINIO_SECRET_KEY": "hidden"}, "takes")
            for wrong in ("ftp://a", "http://hidden:hidden@a", "http://a/path", "http://")
        ),
    ],
)
def test_what_s3_lacks_is_named_and_never_shown(variables: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as refused:
        open_objects(read_settings({"ARTIFACT_STORE": "s3", **variables}))
    assert "hidden" not in str(refused.value)


async def test_objects_carry_their_type_and_facts(s3_place: ObjectPlace, seaweedfs: SeaweedServer) -> None:
    store = open_objects(read_settings(s3_place.variables))
    about = ObjectFacts(content_type="text/csv", content_encoding="zstd", facts={"sha256": "ab"})
    for key, size in (("small/1", 10), ("large/1", PARTS_OVER + 1)):
        assert await store.put(object_key=key, data=os.urandom(size), about=about)
        found = seaweedfs.client().stat_object(s3_place.bucket, key)
        assert found.content_type == "text/csv"
        told = {name.lower(): value for name, value in (found.metadata or {}).items()}
        assert (told["content-encoding"], told["content-disposition"]) == ("zstd", "attachment")
        assert told["x-amz-meta-sha256"] == "ab"


async def test_a_cloud_storage_object_carries_them_too(gcs_place: ObjectPlace) -> None:
    store = open_objects(read_settings(gcs_place.variables))
    about = ObjectFacts(content_type="text/csv", content_encoding="zstd", facts={"sha256": "ab"})
    for key, size in (("small/1", 10), ("large/1", PARTS_OVER + 1)):
        assert await store.put(object_key=key, data=os.urandom(size), about=about)
        objects = f"{gcs_place.variables['STORAGE_EMULATOR_HOST']}/storage/v1/b/{gcs_place.bucket}/o"
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.get(f"{objects}/{quote(key, '')}")).json()
        assert (told["contentType"], told["contentEncoding"]) == ("text/csv", "zstd")
        assert told["contentDisposition"] == "attachment"
        assert told["metadata"]["sha256"] == "ab"
    await store.close()


async def test_cloud_storage_signs_urls_with_its_credentials_own_key(
    gcs_place: ObjectPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test server checks no signature: what is looked at is the URL."""
    store = GcsObjectStore(bucket=gcs_place.bucket)
    with pytest.raises(StoreUnavailableError, match="no key that signs"):
        await store.sign_url(object_key="a/é.py/1", lifetime=timedelta(minutes=10))
    await store.check()
    monkeypatch.setattr(store._opened, "_credentials", service_account())
    url = await store.sign_url(object_key="a/é.py/1", lifetime=timedelta(minutes=10))
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    assert parts.path == f"/{gcs_place.bucket}/a/%C3%A9.py/1"
    assert query["X-Goog-Algorithm"] == ["GOOG4-RSA-SHA256"]
    assert query["X-Goog-Expires"] == ["600"]
    assert query["X-Goog-Credential"][0].startswith("agent@test.iam.gserviceaccount.com/")
    assert re.fullmatch("[0-9a-f]{512}", query["X-Goog-Signature"][0])
    await store.close()


def service_account() -> Any:
    """Credentials with a key of their own, made for this test."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from google.oauth2 import service_account

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        {
            "client_email": "agent@test.iam.gserviceaccount.com",
            "private_key": pem.decode(),
            "token_uri": "http://127.0.0.1:9/token",
        }
    )
