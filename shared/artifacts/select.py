"""The object store the settings ask for; adapters are imported only when chosen."""

from __future__ import annotations

import re

from shared.artifacts.port import ObjectStore
from shared.errors import ConfigurationError
from shared.settings import Settings

_ENDPOINT = re.compile(r"https?://[^\s/?#@]+/?")


def open_objects(settings: Settings) -> ObjectStore:
    """The object store of the settings; nothing is connected yet.

    Raises:
        ConfigurationError: a setting that the store needs is missing or wrong.
    """
    if settings.artifact_store == "s3":
        return _s3(settings)
    if settings.artifact_store == "gcs":
        from shared.artifacts.gcs import GcsObjectStore

        return GcsObjectStore(bucket=settings.artifact_bucket, project=settings.google_cloud_project)
    from shared.artifacts.local import LocalObjectStore

    return LocalObjectStore(settings.data_dir / settings.artifact_bucket)


def _s3(settings: Settings) -> ObjectStore:
    from shared.artifacts.s3 import S3ObjectStore

    if not settings.minio_endpoint:
        raise ConfigurationError(
            "MINIO_ENDPOINT: ARTIFACT_STORE=s3 needs it, https://HOST or http://HOST:PORT"
        )
    if settings.minio_access_key is None or settings.minio_secret_key is None:
        raise ConfigurationError("MINIO_ACCESS_KEY and MINIO_SECRET_KEY: ARTIFACT_STORE=s3 needs both")
    endpoint = settings.minio_endpoint
    # MinIO's own clients take HOST:PORT alone, and mean plain HTTP by it.
    if "://" not in endpoint:
        endpoint = f"http://{endpoint}"
    if not _ENDPOINT.fullmatch(endpoint):
        raise ConfigurationError("MINIO_ENDPOINT: takes https://HOST, http://HOST:PORT or HOST:PORT")
    return S3ObjectStore(
        endpoint=endpoint.rstrip("/"),
        bucket=settings.artifact_bucket,
        access_key=settings.minio_access_key.get_secret_value(),
        secret_key=settings.minio_secret_key.get_secret_value(),
    )
