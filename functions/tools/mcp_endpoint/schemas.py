"""Tool schemas as an assistant's prompt needs them: what it must know to call, and no more.

Limits that a schema leaves out still hold: the tool runner checks the arguments and names the wrong one.
"""

from __future__ import annotations

from typing import Any

_LEFT_OUT = frozenset(
    {
        "additionalProperties",
        "examples",
        "maxItems",
        "maxLength",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "title",
    }
)
_BY_NAME = frozenset({"properties", "$defs"})

SESSION_PROPERTY: dict[str, Any] = {
    "type": "string",
    "description": "your workspace id",
}


def compact(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without examples, lengths, lower bounds, and defaults of `null` and `false`."""
    shorter: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _BY_NAME:
            shorter[key] = {name: compact(item) for name, item in value.items()}
        elif key == "default" and (value is None or value is False):
            continue
        elif key == "additionalProperties" and isinstance(value, dict):
            shorter[key] = compact(value)
        elif key not in _LEFT_OUT:
            shorter[key] = _compact_value(value)
    return _without_null(shorter)


def with_session(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the optional argument `session_id`."""
    properties = {**schema.get("properties", {}), "session_id": SESSION_PROPERTY}
    return {**schema, "properties": properties}


def _compact_value(value: Any) -> Any:
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, list):
        return [_compact_value(item) for item in value]
    return value


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**choices[0], **rest}
