"""What prices did, in numbers: return, volatility, drawdown, relative volume, correlation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from shared.market.candles import YEAR_MS, Candles

# Fewer returns say nothing about two markets moving together.
MIN_COMMON_RETURNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """Falls from a high of the closes, as shares of it (0.2 is a fall of a fifth); times in ms."""

    deepest: float
    peak_time: int
    trough_time: int
    current: float


def log_returns(closes: Sequence[float]) -> list[float]:
    """The logarithm of each close over the one before."""
    return [math.log(after / before) for before, after in pairwise(closes)]


def deviation(values: Sequence[float]) -> float | None:
    """The sample standard deviation; None with fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def candles_per_year(candles: Candles) -> float | None:
    """How many candles a year holds, as observed: markets that close at night or weekends have fewer."""
    span = candles.times[-1] - candles.times[0] if len(candles) > 1 else 0
    return (len(candles) - 1) * YEAR_MS / span if span else None


def annualised_volatility(candles: Candles) -> float | None:
    """The deviation of log returns times the root of candles a year; 0.5 is 50 %."""
    spread, rate = deviation(log_returns(candles.closes)), candles_per_year(candles)
    return None if spread is None or rate is None else spread * math.sqrt(rate)


def drawdown(candles: Candles) -> Drawdown:
    """The deepest fall from an earlier high of the closes, and the fall from the highest one to the last."""
    peak = deepest_peak = trough = 0
    deepest = 0.0
    for index, close in enumerate(candles.closes):
        if close > candles.closes[peak]:
            peak = index
        fall = 1 - close / candles.closes[peak]
        if fall > deepest:
            deepest, deepest_peak, trough = fall, peak, index
    return Drawdown(
        deepest=deepest,
        peak_time=candles.times[deepest_peak],
        trough_time=candles.times[trough],
        current=1 - candles.closes[-1] / candles.closes[peak],
    )


def correlations(series: Mapping[str, Candles]) -> dict[tuple[str, str], float | None]:
    """Pearson's correlation of the log returns of each pair of markets, on the candles both have.

    None where there are fewer than `MIN_COMMON_RETURNS`, or one of the prices never moved.
    """
    closes = {name: dict(zip(c.times, c.closes, strict=True)) for name, c in series.items()}
    found = {}
    for one, other in combinations(closes, 2):
        moments = sorted(closes[one].keys() & closes[other].keys())
        first = log_returns([closes[one][moment] for moment in moments])
        second = log_returns([closes[other][moment] for moment in moments])
        found[(one, other)] = _pearson(first, second) if len(first) >= MIN_COMMON_RETURNS else None
    return found


def _pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    mean_first, mean_second = math.fsum(first) / len(first), math.fsum(second) / len(second)
    together = math.fsum((a - mean_first) * (b - mean_second) for a, b in zip(first, second, strict=True))
    scale = math.sqrt(
        math.fsum((a - mean_first) ** 2 for a in first) * math.fsum((b - mean_second) ** 2 for b in second)
    )
    return max(-1.0, min(1.0, together / scale)) if scale else None
