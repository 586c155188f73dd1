"""Whether the result is of the idea or of the numbers chosen: a map of neighbours, and a walk forward.

Walk-forward after Pardo, The Evaluation and Optimization of Trading Strategies (2008): on each stretch the
best of the neighbours so far is taken into the next one, which had no say in the choice.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from shared.backtest.findings import CheckResult

SEGMENTS = 4
_LEAST_NEIGHBOURS = 8
# A peak: half of its neighbours keep less than this part of its return, and hardly any beats it.
_KEPT, _RANK = 0.25, 0.9
# Returns below this many per cent are noise, not a peak.
_NOTEWORTHY = 2.0
# The same for a stretch.
_STRETCH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One point of the map: its parameters, and the account at each close (None: the bot refused them)."""

    config: Mapping[str, float] = field(hash=False)
    equity: tuple[float, ...] | None = field(repr=False, hash=False)

    @property
    def return_pct(self) -> float | None:
        """The whole return in per cent."""
        return None if self.equity is None else 100 * (self.equity[-1] / self.equity[0] - 1)


def judge_over_fitting(variations: Sequence[Variation], *, candles: int) -> CheckResult:
    """What the map says; the first variation is the chosen one."""
    ran = [one for one in variations if one.equity is not None]
    if len(ran) < 2 or variations[0].equity is None:
        return _result("note", "The strategy reads no numeric parameter that could be moved.", {}, candles)
    chosen = variations[0].return_pct or 0.0
    # One that trades just alike moved a parameter without effect, and shares every result.
    differing = [one for one in ran[1:] if one.equity != variations[0].equity]
    neighbours = [one.return_pct or 0.0 for one in differing or ran[1:]]
    median = statistics.median(neighbours)
    better = sum(1 for value in neighbours if value < chosen) / len(neighbours)
    peak = (
        len(neighbours) >= _LEAST_NEIGHBOURS
        and chosen >= _NOTEWORTHY
        and median < chosen * _KEPT
        and better >= _RANK
    )
    folds = walk_forward(ran)
    inside = statistics.fmean(fold["in_sample_pct"] for fold in folds)
    outside = statistics.fmean(fold["out_of_sample_pct"] for fold in folds)
    fails = inside >= _STRETCH and outside <= 0
    evidence = {
        "map": [{"parameters": dict(one.config), "return_pct": one.return_pct} for one in variations],
        "chosen_return_pct": chosen,
        "median_neighbour_return_pct": median,
        "neighbours_that_differ": len(differing),
        "better_than_share_of_neighbours": better,
        "walk_forward": folds,
        "walk_forward_efficiency": outside / inside if inside > 0 else None,
    }
    told = (
        f"The chosen parameters return {chosen:+.2f}%, the median of {len(neighbours)} neighbours "
        f"{median:+.2f}%; walking forward, the best so far made {inside:+.2f}% a stretch in sample and "
        f"{outside:+.2f}% in the next one."
    )
    if peak and fails:
        return _result(
            "finding", f"Fitted to these candles: a lone peak that did not last. {told}", evidence, candles
        )
    if peak:
        return _result(
            "warning", f"A lone peak: the neighbours do not share the result. {told}", evidence, candles
        )
    if fails:
        return _result("warning", f"What was best before did not stay so. {told}", evidence, candles)
    return _result("passed", told, evidence, candles)


def walk_forward(ran: Sequence[Variation]) -> list[dict[str, Any]]:
    """Each fold: the best variation on all stretches so far, its mean return there, and in the next one."""
    folds = []
    returns = [_by_segment(one.equity or ()) for one in ran]
    for end in range(1, SEGMENTS):
        sums = [sum(segments[:end]) for segments in returns]
        # The earliest of equals: the chosen one is the first.
        best = sums.index(max(sums))
        folds.append(
            {
                "parameters": dict(ran[best].config),
                "in_sample_pct": sums[best] / end,
                "out_of_sample_pct": returns[best][end],
                "chosen_out_of_sample_pct": returns[0][end],
            }
        )
    return folds


def _by_segment(equity: Sequence[float]) -> list[float]:
    """The return of each stretch of equal length, in per cent."""
    last = len(equity) - 1
    edges = [equity[round(last * place / SEGMENTS)] for place in range(SEGMENTS + 1)]
    return [100 * (after / before - 1) if before > 0 else 0.0 for before, after in pairwise(edges)]


def _result(severity: Any, message: str, evidence: dict[str, Any], candles: int) -> CheckResult:
    return CheckResult(
        check="over_fitting",
        title="Over-fitting",
        severity=severity,
        message=message,
        evidence={**evidence, "candles": candles},
    )
