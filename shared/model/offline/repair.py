"""Arguments of create_bot_template put right by what its error message says."""

from __future__ import annotations

import re
from typing import Any

from shared.model.offline.wording import show

# `name: … (it takes a number from 1 to 98 or null: …)`
_LIMITS = re.compile(
    r"\b([a-z_]{3,40}): [^():;\n]{0,200}\(it takes an? (?:number|integer) from (-?[\d.e+]{1,25}) to "
    r"(-?[\d.e+]{1,25})"
)
_UNKNOWN = re.compile(r"has no ((?:'[a-z_]{1,60}'(?:, )?){1,20})")
_NAMED = re.compile(r"(?:^|[ ;])([a-z_]{3,40}): ")


def repaired(arguments: dict[str, Any], problem: str) -> tuple[dict[str, Any], list[str]] | None:
    """Corrected arguments and what was corrected; None when the message gives nothing to go by."""
    parameters = dict(arguments.get("parameters") or {})
    changes: list[str] = []
    for name, low, high in _LIMITS.findall(problem):
        value = parameters.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            nearest = _nearest(value, _number(low), _number(high))
            if nearest != value:
                parameters[name] = nearest
                changes.append(
                    f"`{name}`: {show(name, value)} is out of range, the nearest is {show(name, nearest)}"
                )
    dropped = [name for names in _UNKNOWN.findall(problem) for name in re.findall(r"[a-z_]+", names)]
    if not changes:
        dropped += [name for name in _NAMED.findall(problem) if name != "parameters"]
    for name in dict.fromkeys(dropped):
        if name in parameters:
            changes.append(
                f"`{name}`: {show(name, parameters.pop(name))} is not taken, so it has its default"
            )
    return ({**arguments, "parameters": parameters}, changes) if changes else None


def _nearest(value: int | float, low: int | float, high: int | float) -> int | float:
    return min(max(value, low), high)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
