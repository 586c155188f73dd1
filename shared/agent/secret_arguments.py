"""Credentials in a model's tool calls: taken out before the call is recorded, shown, asked about or run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.messages import ToolCall

REMOVED = "[removed: a credential does not belong in a chat]"


def without_credentials(call: ToolCall) -> ToolCall:
    """The call with every text under the name of a credential replaced; most are given back as they are."""
    cleaned = _cleaned(call.arguments, under=False)
    return call if cleaned == call.arguments else replace(call, arguments=cleaned)


def _cleaned(value: Any, *, under: bool) -> Any:
    from shared.analysis.secret_shapes import is_secret_name

    if isinstance(value, dict):
        return {
            name: _cleaned(item, under=under or is_secret_name(str(name))) for name, item in value.items()
        }
    if isinstance(value, list):
        return [_cleaned(item, under=under) for item in value]
    return REMOVED if under and isinstance(value, str) and value else value
