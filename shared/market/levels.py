"""Support and resistance: prices at which the market turned, more than once if possible.

A swing high is a candle whose high is above the highs of the three candles on each side, a swing low the
mirror image. Sorted by price, swings that lie within half an ATR of the mean of their cluster form one level;
its price is the mean of its swings. Levels under the last close are supports, those above it resistances. Of
each side the three with the most swings, then the nearest, are kept, listed from the nearest outwards. The
last three candles cannot be swings yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.market.candles import Candles

WING = 3
MAX_LEVELS = 3
_CLUSTER_ATR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price and how many swings made it."""

    price: float
    touches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Supports below and resistances above the last close, nearest first."""

    supports: tuple[Level, ...]
    resistances: tuple[Level, ...]


def swing_prices(candles: Candles) -> list[float]:
    """The highs of swing highs and the lows of swing lows."""
    found = []
    for middle in range(WING, len(candles) - WING):
        around = [index for index in range(middle - WING, middle + WING + 1) if index != middle]
        if all(candles.highs[middle] > candles.highs[index] for index in around):
            found.append(candles.highs[middle])
        if all(candles.lows[middle] < candles.lows[index] for index in around):
            found.append(candles.lows[middle])
    return found


def levels_of(candles: Candles, *, atr: float) -> Levels:
    """The levels of the candles; `atr` is the average true range that says how near is one place."""
    clusters: list[list[float]] = []
    for price in sorted(swing_prices(candles)):
        mean = sum(clusters[-1]) / len(clusters[-1]) if clusters else 0.0
        if clusters and price - mean <= _CLUSTER_ATR * atr:
            clusters[-1].append(price)
        else:
            clusters.append([price])
    levels = [Level(price=sum(cluster) / len(cluster), touches=len(cluster)) for cluster in clusters]
    close = candles.closes[-1]
    return Levels(
        supports=_strongest([level for level in levels if level.price < close], close),
        resistances=_strongest([level for level in levels if level.price > close], close),
    )


def _strongest(levels: list[Level], close: float) -> tuple[Level, ...]:
    def distance(level: Level) -> float:
        return abs(level.price - close)

    chosen = sorted(levels, key=lambda level: (-level.touches, distance(level)))[:MAX_LEVELS]
    return tuple(sorted(chosen, key=distance))
