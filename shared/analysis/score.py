"""The quality score: 100 less what the findings and the complexity cost.

    score = floor(min(limit, 100 - sum over categories(penalty) - complexity penalty)), never below 0

- A finding weighs by its severity: critical 40, high 20, medium 8, low 2, info 0.
- A category's penalty adds its findings' weights, heaviest first, each counted 0.8 times as much as the one
  before, and is cut at the category's cap.
- The complexity penalty is half a point for each point by which the most complex function is over 10,
  at most 10.
- The limit is 0 when a file does not parse, 40 with any other critical finding, 70 with a high one.

The score is monotone: a further finding never raises it. Inserting weight w at place j of the falling list
adds `w * r**j` and takes `(1 - r)` of what stands behind, which is at most `w * r**j`, as no weight there is
over w.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor

from shared.analysis.report import Category, Finding, Severity

WEIGHTS: dict[Severity, float] = {"critical": 40, "high": 20, "medium": 8, "low": 2, "info": 0}
CAPS: dict[Category, float] = {
    "syntax": 100,
    "security": 60,
    "secret": 60,
    "trading": 50,
    "performance": 15,
    "complexity": 15,
    "style": 20,
}
REPEAT = 0.8
FREE_COMPLEXITY = 10
COMPLEXITY_CAP = 10.0


def quality_score(findings: Iterable[Finding], *, max_complexity: int = 0) -> int:
    """The score 0..100 of these findings and this complexity; 100 is best."""
    weights: dict[Category, list[float]] = {category: [] for category in CAPS}
    limit = 100.0
    for finding in findings:
        weights[finding.category].append(WEIGHTS[finding.severity])
        limit = min(limit, _limit(finding))
    penalty = sum(_penalty(values, CAPS[category]) for category, values in weights.items())
    penalty += min(COMPLEXITY_CAP, max(0, max_complexity - FREE_COMPLEXITY) / 2)
    # Rounded first: the same weights in another order must not fall on the other side of a whole number.
    return max(0, floor(round(min(limit, 100 - penalty), 6)))


def _penalty(weights: list[float], cap: float) -> float:
    falling = sorted(weights, reverse=True)
    return min(cap, sum(weight * REPEAT**place for place, weight in enumerate(falling)))


def _limit(finding: Finding) -> float:
    if finding.severity == "critical":
        return 0 if finding.category == "syntax" else 40
    return 70 if finding.severity == "high" else 100
