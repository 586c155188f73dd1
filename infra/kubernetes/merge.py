"""Strategic merge, as Kubernetes patches its own kinds: mappings merge, and lists of named things by name."""

from __future__ import annotations

import copy
from typing import Any

# The field by which the things of a list are told apart; other lists are replaced whole.
_KEYS = {
    "containers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
}


def merged(value: Any, patch: Any, field: str = "") -> Any:
    """The value with the patch laid over it; neither is changed. None in a patch takes a field away."""
    if isinstance(value, dict) and isinstance(patch, dict):
        return _mapping(value, patch)
    key = _KEYS.get(field)
    if key is not None and isinstance(value, list) and isinstance(patch, list):
        return _list(value, patch, key)
    return copy.deepcopy(patch)


def _mapping(value: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(value)
    for name, change in patch.items():
        if change is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), change, name)
    return result


def _list(value: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = copy.deepcopy(value)
    places = {one.get(key): number for number, one in enumerate(result)}
    for change in patch:
        place = places.get(change.get(key))
        if place is None:
            result.append(copy.deepcopy(change))
        else:
            result[place] = merged(result[place], change)
    return result
