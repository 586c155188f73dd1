"""What the parts of a deployment are called in traces, by OpenTelemetry's conventions."""

from __future__ import annotations

from shared.settings import Settings

_DATABASES = {"sqlite": "sqlite", "postgres": "postgresql", "postgresql": "postgresql"}
_OBJECTS = {"s3": "aws.s3", "gcs": "gcp.storage", "local": "local"}


def database_of(settings: Settings) -> dict[str, str]:
    """The database of sessions."""
    scheme = settings.database.partition(":")[0].partition("+")[0]
    return {"db.system.name": _DATABASES.get(scheme, "gcp.firestore"), "db.collection.name": "sessions"}


def objects_of(settings: Settings) -> dict[str, str]:
    """The store of files."""
    return {"db.system.name": _OBJECTS[settings.artifact_store], "db.namespace": settings.artifact_bucket}
