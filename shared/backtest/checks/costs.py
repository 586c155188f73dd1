"""What other costs would have left: the same backtest at no costs, twice and five times of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.backtest.findings import CheckResult

MULTIPLES = (0, 2, 5)
# A bot ignores fees when they take this many points of return from a hundred candles, and the profit.
_DRAG_PER_100 = 1.0
_LEAST_FILLS = 20
# Below this part of the loss, it is not the costs that lose.
_MOST_OF_LOSS = 0.5


def judge_costs(returns: Mapping[float, float], *, fills: int, candles: int, fees_pct: float) -> CheckResult:
    """What the returns (per cent) at multiples of the costs say; 1 is the backtest itself."""
    evidence: dict[str, Any] = {
        "return_pct_by_costs": {f"{multiple:g}x": value for multiple, value in sorted(returns.items())},
        "fees_pct_of_start": fees_pct,
        "fills": fills,
    }
    told = ", ".join(f"{value:+.2f}% at {multiple:g}x" for multiple, value in sorted(returns.items()))
    severity, message = _verdict(returns, fills=fills, candles=candles, told=told)
    return CheckResult(
        check="costs", title="Sensitivity to costs", severity=severity, message=message, evidence=evidence
    )


def _verdict(returns: Mapping[float, float], *, fills: int, candles: int, told: str) -> tuple[Any, str]:
    actual, free = returns[1], returns.get(0)
    if fills == 0:
        return "note", "Nothing was traded, so nothing was paid."
    if free is None:
        return "note", "The backtests at other costs did not come to an end in time."
    drag = free - actual
    is_theirs = actual < 0 and drag >= -actual * _MOST_OF_LOSS
    if is_theirs and fills >= _LEAST_FILLS and drag * 100 / candles >= _DRAG_PER_100:
        return "finding", (
            f"Costs take {drag:.1f} points of return in {candles:,} candles and leave a loss: the strategy "
            f"trades ({fills} fills) as if trading were free. Return: {told}."
        )
    if free > 0 >= actual:
        return "warning", f"There is a profit only without costs. Return: {told}."
    if actual > 0 >= returns.get(2, actual):
        return "warning", f"Twice the costs turn the profit into a loss: little margin. Return: {told}."
    return "passed", f"Return: {told} the costs."
