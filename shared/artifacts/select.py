"""Which object store the settings ask for; adapters are imported only when chosen."""

from __future__ import annotations

from shared.artifacts.port import ObjectStore
from shared.errors import ConfigurationError
from shared.settings import Settings


def open_objects(settings: Settings) -> ObjectStore:
    """The object store of the settings.

    Raises:
        ConfigurationError: ARTIFACT_STORE names one that this build does not have.
    """
    if settings.artifact_store == "local":
        from shared.artifacts.local import LocalObjectStore

        return LocalObjectStore(settings.data_dir / settings.artifact_bucket)
    raise ConfigurationError("ARTIFACT_STORE: takes local")
