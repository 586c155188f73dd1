"""Arguments of create_bot_template put right by what its error message says."""

from __future__ import annotations

import re
from typing import Any

from shared.model.offline.extract_timeframe import TIMEFRAMES
from shared.model.offline.wording import show

# `name: … (it takes a number from 1 to 98 or null: …)`
_LIMITS = re.compile(
    r"\b([a-z_]{3,40}): [^():;\n]{0,200}\(it takes an? (?:number|integer) from (-?[\d.e+]{1,25}) to "
    r"(-?[\d.e+]{1,25})"
)
_UNKNOWN = re.compile(r"has no ((?:'[a-z_]{1,60}'(?:, )?){1,20})")
# The interval or the basket was said; what does not fit them was the template's or the bot's.
_LONG_CANDLES = "interval_hours must be at least as long as one candle"
_SMALL_BASKET = "top_count must be less than the number of markets"
_IN_HOURS = tuple((int(name[:-1]), name) for name in TIMEFRAMES if name.endswith("h"))
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
    if _LONG_CANDLES in problem and (fitting := _candles_within(parameters.get("interval_hours"))):
        parameters["timeframe"] = fitting
        changes.append(f"`timeframe`: {fitting}, as a candle must not be longer than the interval")
    others = parameters.get("other_symbols")
    if _SMALL_BASKET in problem and isinstance(others, str):
        parameters["top_count"] = others.count(",") + 1
        changes.append(f"`top_count`: {parameters['top_count']}, as one market has to stay out of the basket")
    dropped = [name for names in _UNKNOWN.findall(problem) for name in re.findall(r"[a-z_]+", names)]
    if not changes:
        dropped += [name for name in _NAMED.findall(problem) if name != "parameters"]
    for name in dict.fromkeys(dropped):
        if name in parameters:
            changes.append(
                f"`{name}`: {show(name, parameters.pop(name))} is not taken, so it has its default"
            )
    return ({**arguments, "parameters": parameters}, changes) if changes else None


def _candles_within(hours: Any) -> str | None:
    """The longest candles of some hours that are not longer than these."""
    return next((name for length, name in reversed(_IN_HOURS) if hours and length <= hours), None)


def _nearest(value: int | float, low: int | float, high: int | float) -> int | float:
    return min(max(value, low), high)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
