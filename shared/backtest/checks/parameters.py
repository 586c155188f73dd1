"""Which parameters can be moved, and to which neighbours: the map that over-fitting is judged by."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

# These size the account; they are not the idea.
_NOT_OF_THE_IDEA = frozenset(
    [
        "paper_balance",
        "poll_seconds",
        "max_trades_per_day",
        "max_position_pct",
        "risk_per_trade_pct",
        "amount",
    ]
)
_STEPS = (-2, -1, 1, 2)
_STEP = 0.1
MAX_PARAMETERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable:
    """A numeric parameter that the strategy reads: its value and the neighbours around it."""

    name: str
    value: float
    neighbours: tuple[float, ...]


def tunable_parameters(files: Mapping[str, bytes], config: Mapping[str, Any]) -> tuple[Tunable, ...]:
    """The first few numeric parameters of bot-schema.json that the strategy's source reads."""
    try:
        properties = json.loads(files["bot-schema.json"])["properties"]
        fields = {str(name): dict(field) for name, field in properties.items()}
    except (KeyError, ValueError, TypeError, AttributeError):
        return ()
    source = b"\n".join(files.get(name, b"") for name in ("strategy.py", "strategy.js")).decode(
        errors="replace"
    )
    found = []
    for name, field in fields.items():
        value = config.get(name, field.get("default"))
        if name in _NOT_OF_THE_IDEA or not _is_number(value) or not _is_read(name, source):
            continue
        neighbours = _neighbours(float(value), field)
        if neighbours:
            found.append(Tunable(name=name, value=float(value), neighbours=neighbours))
    return tuple(found[:MAX_PARAMETERS])


def combinations(tunables: tuple[Tunable, ...]) -> list[dict[str, float]]:
    """The configurations of the map: the chosen values first, a grid of the first two, then one at a time."""
    chosen = {one.name: one.value for one in tunables}
    made = [chosen]
    grid, rest = tunables[:2], tunables[2:]
    for values in product(*(sorted({one.value, *one.neighbours}) for one in grid)):
        made.append({**chosen, **dict(zip((one.name for one in grid), values, strict=True))})
    for one in rest:
        made += [{**chosen, one.name: value} for value in one.neighbours]
    unique: list[dict[str, float]] = []
    for combination in made:
        if combination not in unique:
            unique.append(combination)
    return [{name: _plain(value) for name, value in one.items()} for one in unique]


def _neighbours(value: float, field: Mapping[str, Any]) -> tuple[float, ...]:
    whole = field.get("type") == "integer" or "integer" in (field.get("type") or ())
    step = max(1.0, round(abs(value) * _STEP)) if whole else abs(value) * _STEP
    least, most = field.get("minimum"), field.get("maximum")
    near = (round(value + step * times, 10) for times in _STEPS) if step else ()
    return tuple(one for one in near if (least is None or one >= least) and (most is None or one <= most))


def _is_read(name: str, source: str) -> bool:
    camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
    return re.search(rf"\bparameters\.({re.escape(name)}|{re.escape(camel)})\b", source) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(value: float) -> float:
    """Whole numbers as int, which parameters of whole numbers want."""
    return int(value) if float(value).is_integer() else value
