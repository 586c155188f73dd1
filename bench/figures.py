"""What a measurement found: rounds of figures, their medians and ratios, and the rows they make."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.rig import AGENT, BARE, GENAI


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the project wants a figure of the agent to be: under `most`; `of` says of what."""

    most: float
    of: str

    def met(self, value: float) -> bool:
        """Whether the value is within it."""
        return value <= self.most


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of the table: a figure of each contender that has one, and of the agent against the target.

    `ratios` are of the agent to another contender. `judged` is the figure that `target` is about.
    """

    section: str
    what: str
    unit: str
    figures: dict[str, float]
    ratios: dict[str, float] = field(default_factory=dict)
    target: Target | None = None
    judged: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None or self.judged is None:
            return None
        return self.target.met(self.judged)


class Rounds:
    """A figure of each contender in each round; a round's figures were taken one after another."""

    def __init__(self) -> None:
        self._figures: dict[str, list[float]] = {}

    def add(self, contender: str, figure: float) -> None:
        """Adds the contender's figure of the next round."""
        self._figures.setdefault(contender, []).append(figure)

    def medians(self) -> dict[str, float]:
        """The median of each contender's rounds."""
        return {name: statistics.median(figures) for name, figures in self._figures.items()}

    def ratio(self, over: str, under: str) -> float:
        """The median of the rounds' ratios: a slow moment of the machine slows both sides of one."""
        pairs = zip(self._figures[over], self._figures[under], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def difference(self, left: str, right: str) -> float:
        """The median of the rounds' differences."""
        pairs = zip(self._figures[left], self._figures[right], strict=True)
        return statistics.median(a - b for a, b in pairs)

    def row(
        self,
        section: str,
        what: str,
        unit: str,
        *,
        target: Target | None = None,
        judged: Callable[[Rounds], float] | None = None,
    ) -> Row:
        """The row of these rounds; `judged` finds the figure for the target."""
        ratios = {o: self.ratio(AGENT, o) for o in (GENAI, BARE) if {o, AGENT} <= self._figures.keys()}
        return Row(
            section=section,
            what=what,
            unit=unit,
            figures=self.medians(),
            ratios=ratios,
            target=target,
            judged=judged(self) if judged is not None else None,
        )


def to_genai(rounds: Rounds) -> float:
    """The agent's ratio to bare google-genai."""
    return rounds.ratio(AGENT, GENAI)


def over_genai(rounds: Rounds) -> float:
    """What the agent has more than bare google-genai."""
    return rounds.difference(AGENT, GENAI)


def of_agent(rounds: Rounds) -> float:
    """The agent's own figure."""
    return rounds.medians()[AGENT]


def median_ms(seconds: Iterable[float]) -> float:
    """The median in milliseconds."""
    return statistics.median(seconds) * 1000


def percentile_ms(seconds: Sequence[float], percent: int) -> float:
    """The percentile in milliseconds, by nearest rank; NaN of nothing."""
    if not seconds:
        return float("nan")
    ranked = sorted(seconds)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)] * 1000
