"""Object stores for tests: real servers started on demand, and a bucket of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.servers.gcs import GcsServer
    from tests.servers.seaweedfs import SeaweedServer

STORES = ("local", "s3", "gcs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPlace:
    """Where a test's objects go: `variables` are the settings that choose it."""

    kind: str
    bucket: str
    variables: dict[str, str]
    folder: Path
    port: int = 0


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedServer]:
    """The run's own S3 server, started at first use; one a worker under xdist."""
    from tests.servers.seaweedfs import seaweedfs_server

    with seaweedfs_server() as server:
        yield server


@pytest.fixture(scope="session")
def gcs() -> Iterator[GcsServer]:
    """The run's own Cloud Storage server, started at first use; one a worker under xdist."""
    from tests.servers.gcs import gcs_server

    with gcs_server() as server:
        yield server


@pytest.fixture
def local_place(tmp_path: Path) -> ObjectPlace:
    """A folder of the test's own."""
    return ObjectPlace(
        kind="local",
        bucket="objects",
        folder=tmp_path / "objects",
        variables={"DATA_DIR": str(tmp_path), "ARTIFACT_BUCKET": "objects", "ARTIFACT_STORE": "local"},
    )


@pytest.fixture
def s3_place(seaweedfs: SeaweedServer, tmp_path: Path) -> ObjectPlace:
    """A new bucket on the S3 server."""
    bucket = seaweedfs.create_bucket()
    return ObjectPlace(
        kind="s3",
        bucket=bucket,
        folder=tmp_path,
        port=seaweedfs.port,
        variables=s3_variables(seaweedfs.url, bucket),
    )


@pytest.fixture
def gcs_place(gcs: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectPlace:
    """A new bucket on the Cloud Storage server; clients made in the test go there."""
    bucket = gcs.create_bucket()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url)
    return ObjectPlace(
        kind="gcs",
        bucket=bucket,
        folder=tmp_path,
        port=gcs.port,
        variables=gcs_variables(gcs.url, bucket),
    )


def s3_variables(url: str, bucket: str) -> dict[str, str]:
    """The settings of a bucket on an S3 server at that URL."""
    from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY

    return {
        "ARTIFACT_STORE": "s3",
        "ARTIFACT_BUCKET": bucket,
        "MINIO_ENDPOINT": url,
        "MINIO_ACCESS_KEY": ACCESS_KEY,
        "MINIO_SECRET_KEY": SECRET_KEY,
    }


def gcs_variables(url: str, bucket: str) -> dict[str, str]:
    """The settings of a bucket on a Cloud Storage server at that URL."""
    return {"ARTIFACT_STORE": "gcs", "ARTIFACT_BUCKET": bucket, "STORAGE_EMULATOR_HOST": url}


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest) -> ObjectPlace:
    """A new empty object store, the test once over each kind."""
    found: ObjectPlace = request.getfixturevalue(f"{request.param}_place")
    return found
