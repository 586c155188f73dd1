"""Which fields of a configuration hold credentials, and how values stay out of words and records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from shared.analysis.secret_shapes import is_secret_name, looks_secret

_MASK = "•••"
_SHORTEST = 6
# The cost of one guess at what a kept hash was made of: 8 MiB and some 20 ms.
_SCRYPT = {"n": 2**13, "r": 8, "p": 1}


def secret_names(config: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The dotted fields that hold a credential: by the schema, by their name, or by their shape."""
    return [
        ".".join(path)
        for path, value, rules in _leaves(config, schema, ())
        if path and isinstance(value, str) and value and _is_secret(path[-1], value, rules)
    ]


def masked(text: str, config: dict[str, Any], schema: dict[str, Any]) -> str:
    """Words of the platform's without the configuration's values: it may quote what it was sent."""
    known = json.dumps(schema, ensure_ascii=False)
    values = {
        value
        for _, value, _ in _leaves(config, schema, ())
        # What the schema names itself, a default or a choice, is no secret.
        if isinstance(value, str) and len(value) >= _SHORTEST and json.dumps(value)[1:-1] not in known
    }
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, _MASK)
    return text


def slow_hash(value: Any, *salt: str) -> str:
    """A hash that tells equal values of one salt, and is too slow to guess a credential by."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    salted = hashlib.sha256(json.dumps(salt).encode("ascii")).digest()
    return hashlib.scrypt(text.encode("ascii"), salt=salted, dklen=32, **_SCRYPT).hex()


def _is_secret(name: str, value: str, rules: dict[str, Any]) -> bool:
    return _declared(rules) or is_secret_name(name) or looks_secret(name, value)


def _declared(rules: dict[str, Any]) -> bool:
    return rules.get("format") == "password" or rules.get("writeOnly") is True


def _leaves(value: Any, rules: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Each plain value with its place and the part of the schema that is about it."""
    rules = rules if isinstance(rules, dict) else {}
    if isinstance(value, dict):
        inner = rules.get("properties")
        parts = [
            (name, item, inner.get(name) if isinstance(inner, dict) else None) for name, item in value.items()
        ]
    elif isinstance(value, list):
        parts = [(str(index), item, rules.get("items")) for index, item in enumerate(value)]
    else:
        yield path, value, rules
        return
    # What lies under a credential is one, whatever it is called.
    under = {"writeOnly": True} if _declared(rules) or (path and is_secret_name(path[-1])) else {}
    for name, item, found in parts:
        yield from _leaves(item, {**(found if isinstance(found, dict) else {}), **under}, (*path, name))
