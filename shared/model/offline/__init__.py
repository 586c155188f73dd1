"""The offline planner: a deterministic chat model that needs no network and no key."""

from shared.model.offline.planner import MODEL_NAME, OfflineModel

__all__ = ["MODEL_NAME", "OfflineModel"]
