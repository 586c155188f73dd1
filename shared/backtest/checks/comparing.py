"""Whether two decisions are the same, how far their values lie apart, and how to tell them in a few words.

A decision is what `inside/probe.py` makes of a signal: action, amount, share, quotes, values; a list has one
for each market.
"""

from __future__ import annotations

import math
from typing import Any


def largest_difference(one: Any, other: Any) -> float:
    """The largest relative difference of a value that both decisions of a market report."""
    if one is None or other is None:
        return 0.0
    shared = one[4].keys() & other[4].keys()
    return max((_apart(one[4][name], other[4][name]) for name in shared), default=0.0)


def _apart(one: Any, other: Any) -> float:
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return 0.0 if one == other else 1.0
    scale = max(abs(one), abs(other))
    return abs(one - other) / scale if scale > 1e-12 and math.isfinite(scale) else 0.0


def same_decisions(before: list[Any], after: list[Any], by: float) -> bool:
    """Whether every market gets the same action, sizes and quotes; numbers may differ by the share `by`."""
    return len(before) == len(after) and all(
        _same_decision(one, other, by) for one, other in zip(before, after, strict=True)
    )


def _same_decision(one: Any, other: Any, by: float) -> bool:
    if one is None or other is None:
        return one is other
    if one[0] != other[0] or len(one[3]) != len(other[3]):
        return False
    if one[0] != "hold" and not (_near(one[1], other[1], by) and _near(one[2], other[2], by)):
        return False
    return all(
        quote[0] == again[0] and _near(quote[1], again[1], by) and _near(quote[2], again[2], by)
        for quote, again in zip(one[3], other[3], strict=True)
    )


def same_values(before: list[Any], after: list[Any], by: float) -> bool:
    """Whether every market reports the same values, up to the relative difference `by`."""
    return all(
        one is None
        or other is None
        or (
            one[4].keys() == other[4].keys()
            and all(_near(one[4][name], other[4][name], by) for name in one[4])
        )
        for one, other in zip(before, after, strict=False)
    )


def _near(one: Any, other: Any, by: float) -> bool:
    return one == other or (one is not None and other is not None and _apart(one, other) <= by)


def actions(signals: list[Any]) -> set[str]:
    """The actions of all markets."""
    return {one[0] for one in signals if one is not None}


def decisions_text(signals: list[Any]) -> str:
    """The decisions in a few words."""
    return "; ".join(_told_one(one) for one in signals)[:200]


def _told_one(signal: Any) -> str:
    if signal is None:
        return "nothing"
    action, amount, share, quotes, _ = signal
    text = action if amount is None or action == "hold" else f"{action} {amount:g}"
    text = f"{text} {100 * share:.0f}%" if action == "sell" and share != 1 else text
    return f"{text} with {len(quotes)} quotes" if quotes else text


def values_text(signals: list[Any]) -> str:
    """The reported values in a few words."""
    return "; ".join(
        ", ".join(f"{name} {value}" for name, value in sorted(one[4].items()))
        for one in signals
        if one is not None
    )[:200]
