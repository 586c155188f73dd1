"""Tool schemas as an assistant's prompt needs them: what it must know to call, and no more.

Limits that a schema leaves out still hold: the tool runner checks the arguments and names the wrong one.
"""

from __future__ import annotations

from typing import Any

_LEFT_OUT = frozenset(
    {
        "$defs",
        "additionalProperties",
        "examples",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "title",
    }
)
# Of a longer description the first sentence is kept: the rest is lists, which the tool's own errors tell too.
_LONGEST_DESCRIPTION = 200
_REFERENCE = "#/$defs/"

# The server's instructions say what it is, once for all tools.
SESSION_PROPERTY: dict[str, Any] = {"type": "string"}


def compact(schema: dict[str, Any], defs: dict[str, Any] | None = None) -> dict[str, Any]:
    """The schema without examples, lengths, bounds, and defaults of `null` and `false`.

    What it refers to stands where it is used: our schemas refer to a thing once.
    """
    defs = schema.get("$defs", {}) if defs is None else defs
    shorter: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            shorter[key] = {name: compact(item, defs) for name, item in value.items()}
        elif key == "default" and (value is None or value is False):
            continue
        elif key == "description":
            shorter[key] = value if len(value) <= _LONGEST_DESCRIPTION else value.partition(". ")[0]
        elif key == "$ref":
            shorter |= compact(defs[value.removeprefix(_REFERENCE)], defs)
        elif key == "additionalProperties" and isinstance(value, dict):
            shorter[key] = compact(value, defs)
        elif key not in _LEFT_OUT:
            shorter[key] = _compact_value(value, defs)
    return _without_null(shorter)


def with_session(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the optional argument `session_id`."""
    properties = {**schema.get("properties", {}), "session_id": SESSION_PROPERTY}
    return {**schema, "properties": properties}


def _compact_value(value: Any, defs: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return compact(value, defs)
    if isinstance(value, list):
        return [_compact_value(item, defs) for item in value]
    return value


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest}
