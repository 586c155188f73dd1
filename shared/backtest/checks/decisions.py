"""Decisions compared: the same past with other futures, asked again, and with more history.

The look-ahead check follows the idea of freqtrade's lookahead-analysis, the warm-up check that of its
recursive-analysis: a decision that only depends on the past it needs is the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.backtest.checks.comparing import (
    actions,
    decisions_text,
    largest_difference,
    same_decisions,
    same_values,
    values_text,
)
from shared.backtest.findings import CheckResult, Severity
from shared.backtest.inside.walk import Order
from shared.backtest.protocol import TaskAnswer
from shared.market.candles import moment_text

FUTURES = ("cut", "up", "down")
VARIANTS = ("full", *FUTURES)
MAX_ACTING, MAX_QUIET = 16, 8
# Relative differences below these are rounding, or what a long smoothing forgets.
_EXACT, _FORGOTTEN, _VISIBLE = 1e-9, 1e-3, 1e-2
_SHOWN = 5

Answers = Sequence[tuple[int, str, int, list[Any]]]


def probe_points(orders: Sequence[Order], *, candles: int, needed: int) -> list[int]:
    """The candles whose decisions are probed: those that acted, spread evenly, and some that may not have."""
    last = candles - 2
    acting = sorted({order[0] - 1 for order in orders if order[2] != "exit" and order[0] - 1 <= last})
    quiet = range(min(needed, last), last + 1)
    chosen = {*_spread(acting, MAX_ACTING), *_spread(quiet, MAX_QUIET if acting else MAX_ACTING)}
    return sorted(chosen)


def probe_task(points: Sequence[int], holdings: Mapping[int, list[list[float]]]) -> dict[str, Any]:
    """The task that asks for the decisions at these candles, with what was held there."""
    return {
        "kind": "probe",
        "variants": VARIANTS,
        "points": [{"at": index, "holdings": holdings[index]} for index in points],
    }


@dataclass(slots=True)
class _Compared:
    """How decisions on one kind of variant differed, with the first few of either kind."""

    asked: int = 0
    changed_decisions: int = 0
    changed_values: int = 0
    decisions: list[dict[str, Any]] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)

    @property
    def examples(self) -> list[dict[str, Any]]:
        """A few differences; changed decisions say more than changed values."""
        return [*self.decisions, *self.values][:_SHOWN]

    def add(self, asked: tuple[int, int, str], before: list[Any], after: list[Any], by: float) -> None:
        """Compares two answers to a question, which is a candle, its time and a variant."""
        index, time, variant = asked
        self.asked += 1
        decision = not same_decisions(before, after, by)
        values = not decision and not same_values(before, after, max(by, 1e-6))
        self.changed_decisions += decision
        self.changed_values += values
        examples, shown = (self.decisions, decisions_text) if decision else (self.values, values_text)
        if (decision or values) and len(examples) < _SHOWN:
            example = {"candle": moment_text(time), "index": index, "variant": variant}
            examples.append({**example, "decided": shown(before), "then": shown(after)})


def judge_look_ahead(probe: TaskAnswer, times: Sequence[int]) -> CheckResult:
    """Whether a decision changed when only what comes after its candle did."""
    compared = _compare(probe.probes, times, FUTURES, _EXACT)
    severity: Severity = "passed"
    changed = compared.changed_decisions + compared.changed_values
    if changed:
        severity, first = "finding", compared.examples[0]
        message = (
            f"{changed} of {compared.asked} decisions changed when only later candles were cut off or "
            f"scrambled; the first at {first['candle']}: {first['decided']} became {first['then']}. The bot "
            "sees the future here, so no figure of this backtest can be believed."
        )
    elif probe.end is None and (probe.crash is None or probe.crash.limit is None):
        severity = "finding"
        message = "The bot ended the process when it was asked for the same decisions on changed candles."
    elif probe.end is None or not compared.asked:
        severity = "warning"
        message = f"Only {compared.asked} decisions could be tried in time, which is too few to pass."
    else:
        message = (
            f"{compared.asked} decisions stayed the same with the later candles cut off, scrambled upwards "
            "and scrambled downwards."
        )
    return CheckResult(
        check="look_ahead",
        title="Look-ahead",
        severity=severity,
        message=message,
        evidence=_evidence(compared),
    )


def judge_warm_up(answers: Answers, times: Sequence[int]) -> CheckResult:
    """Whether decisions depend on how much history was loaded."""
    compared = _compare(answers, times, ("more2", "more4"), _FORGOTTEN)
    changed = compared.changed_decisions
    drift = _drift(answers)
    message = (
        f"{compared.asked} decisions stayed the same with two and four times the history."
        if compared.asked
        else "There were too few candles to try more history than the strategy needs."
    )
    severity: Severity = "passed" if compared.asked else "note"
    if changed:
        few = changed < max(2, compared.asked / 10)
        severity = "warning" if few else "finding"
        first = compared.examples[0]
        message = (
            f"{changed} of {compared.asked} decisions changed with more history than candles_needed asks "
            f"for; the first at {first['candle']}: {first['decided']} became {first['then']}. An indicator "
            "has not warmed up: live and backtest will decide differently. Let candles_needed grow, or "
            "compute over exactly that many candles."
        )
    elif drift > _VISIBLE:
        severity = "warning"
        message = (
            f"The strategy's values differ by up to {100 * drift:.1f}% with more history, though no decision "
            "changed: an indicator has not warmed up after candles_needed candles."
        )
    return CheckResult(
        check="warm_up",
        title="Warm-up",
        severity=severity,
        message=message,
        evidence={**_evidence(compared), "largest_value_drift_pct": round(100 * drift, 6)},
    )


def judge_repeatable(
    answers: Answers, acted: Mapping[int, frozenset[str]], times: Sequence[int]
) -> CheckResult:
    """Whether the same question gets the same answer: asked twice, and asked of a fresh copy of the bot.

    `acted` are the actions by the candle that decided them, in the walk over all candles.
    """
    compared = _compare(answers, times, ("again",), _EXACT)
    fresh = [
        (index, signals)
        for _, variant, index, signals in answers
        if variant == "again" and index in acted and not acted[index] <= actions(signals)
    ]
    severity: Severity = "finding" if compared.changed_decisions or fresh else "passed"
    message = "The same candles and holdings gave the same decision, asked twice and asked of a fresh copy."
    if compared.changed_decisions:
        message = (
            f"{compared.changed_decisions} of {compared.asked} decisions came out differently when the same "
            "question was asked twice: the strategy draws random numbers, reads a clock or keeps state."
        )
    elif fresh:
        message = (
            f"{len(fresh)} decisions of the walk, the first at {moment_text(times[fresh[0][0]])}, are not "
            "those of a freshly started bot with the same candles and holdings: the strategy keeps state of "
            "its own, or looks beyond the candles it is given."
        )
    evidence = {
        **_evidence(compared),
        "unlike_a_fresh_copy": [moment_text(times[i]) for i, _ in fresh[:_SHOWN]],
    }
    return CheckResult(
        check="repeatable",
        title="Same question, same answer",
        severity=severity,
        message=message,
        evidence=evidence,
    )


def acted_by_candle(orders: Sequence[Order]) -> dict[int, frozenset[str]]:
    """The sides that market orders of a walk took, by the candle that decided them."""
    acted: dict[int, set[str]] = {}
    for index, _, action, _, _ in orders:
        if action in ("buy", "short"):
            acted.setdefault(index - 1, set()).add("buy" if action == "buy" else "sell")
    return {index: frozenset(sides) for index, sides in acted.items()}


def _compare(answers: Answers, times: Sequence[int], variants: Sequence[str], by: float) -> _Compared:
    full = {(point, index): signals for point, variant, index, signals in answers if variant == "full"}
    compared = _Compared()
    for point, variant, index, signals in answers:
        before = full.get((point, index))
        if variant in variants and before is not None and 0 <= index < len(times):
            compared.add((index, times[index], variant), before, signals, by)
    return compared


def _evidence(compared: _Compared) -> dict[str, Any]:
    return {
        "decisions_compared": compared.asked,
        "decisions_changed": compared.changed_decisions,
        "values_changed": compared.changed_values,
        "examples": compared.examples,
    }


def _drift(answers: Answers) -> float:
    """The largest relative difference of a value between the needed and more history."""
    full = {(point, index): signals for point, variant, index, signals in answers if variant == "full"}
    largest = 0.0
    for point, variant, index, signals in answers:
        before = full.get((point, index))
        if variant.startswith("more") and before is not None:
            for one, other in zip(before, signals, strict=False):
                largest = max(largest, largest_difference(one, other))
    return largest


def _spread(indexes: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(indexes) <= most:
        return list(indexes)
    return [indexes[round(place * (len(indexes) - 1) / (most - 1))] for place in range(most)]
