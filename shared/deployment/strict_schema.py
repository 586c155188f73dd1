"""What the platform's schema compiler refuses beyond draft-07: Ajv with `strict`, unknown keywords let be.

A keyword needs a type that it applies to, a required field a declaration beside it, a list of fixed entries
its length (https://ajv.js.org/strict-mode.html). Only what is reached from the root is compiled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES = {
    "number": ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"),
    "string": ("maxLength", "minLength", "pattern"),
    "array": ("maxItems", "minItems", "uniqueItems", "items", "contains"),
    "object": (
        "maxProperties",
        "minProperties",
        "required",
        "properties",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "dependencies",
    ),
}
# Parts of a schema about the same value, and about values within it.
_SAME_ONE, _SAME_MANY, _SAME_NAMED = (
    ("not", "if", "then", "else"),
    ("allOf", "anyOf", "oneOf"),
    ("dependencies",),
)
_WITHIN_ONE = ("additionalProperties", "propertyNames", "additionalItems", "contains", "items")

Path = tuple[Any, ...]


def strict_problems(schema: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Each place and what the platform wants there; raises RecursionError for one that is too deep."""
    seen: set[str] = set()
    pending: list[tuple[Path, Any, tuple[str, ...]]] = [((), schema, ())]
    while pending:
        path, part, inherited = pending.pop()
        if not isinstance(part, dict):
            continue
        own = _list(part.get("type"))
        yield from _of_types(path, own, inherited)
        types = own or inherited
        yield from _of_keywords(path, part, types)
        reference = part.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            pending.append(((*path, "$ref"), _at(schema, reference), ()))
        pending += _parts(path, part, types)


def _of_types(path: Path, own: tuple[str, ...], inherited: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    if len(own) > 1 and not (len(own) == 2 and "null" in own):
        yield (*path, "type"), "takes one type, or one and null"
    for kind in own if inherited else ():
        if kind not in inherited and not (kind == "integer" and "number" in inherited):
            yield (
                (*path, "type"),
                f"cannot be {kind} where the schema around it says {' or '.join(inherited)}",
            )


def _of_keywords(path: Path, part: dict[str, Any], types: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for kind, keywords in _TYPES.items():
        if kind in types or (kind == "number" and "integer" in types):
            continue
        for keyword in keywords:
            if keyword in part:
                yield (*path, keyword), f"needs `type: {kind}` beside it"
    if "format" in part and not {"string", "number", "integer"} & set(types):
        yield (*path, "format"), "needs `type: string` beside it"
    properties = part.get("properties")
    declared = properties if isinstance(properties, dict) else {}
    for name in _list(part.get("required")):
        if name not in declared:
            yield (*path, "required"), f"names {name[:60]!r}, which `properties` beside it does not declare"
    items = part.get("items")
    if isinstance(items, list) and not _is_full(part, len(items)):
        yield (
            (*path, "items"),
            "is a list: `minItems`, and `maxItems` or `additionalItems: false`, give its length",
        )


def _is_full(part: dict[str, Any], length: int) -> bool:
    closed = part.get("maxItems") == length or part.get("additionalItems") is False
    return part.get("minItems") == length and closed


def _parts(
    path: Path, part: dict[str, Any], types: tuple[str, ...]
) -> Iterator[tuple[Path, Any, tuple[str, ...]]]:
    yield from (((*path, name), part[name], types) for name in _SAME_ONE if name in part)
    yield from (((*path, name), part[name], ()) for name in _WITHIN_ONE if name in part)
    for name in _SAME_MANY:
        yield from (((*path, name, i), each, types) for i, each in enumerate(_items(part.get(name))))
    yield from (((*path, "items", i), each, ()) for i, each in enumerate(_items(part.get("items"))))
    for name, kept in (("dependencies", types), ("properties", ()), ("patternProperties", ())):
        inner = part.get(name)
        if isinstance(inner, dict):
            yield from (((*path, name, key), each, kept) for key, each in inner.items())


def _at(schema: Any, reference: str) -> Any:
    """The part that a reference within the file names, None where it names none."""
    found = schema
    for step in reference.removeprefix("#").split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str))
