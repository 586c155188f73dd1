"""The sample candles of bots that trade several markets: synthetic, seeded, with several market regimes.

All walks are made of logarithms of the price, 100 being 0, so that what belongs together stays together.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

_START = datetime(2024, 1, 1, tzinfo=UTC)
_SEED = 20240101
CANDLES = 400
_HEADER = "symbol,time,open,high,low,close,volume"
_EIGHT_HOURS = 480

# Candles, drift and volatility of a candle.
_REGIMES = (
    (80, 0.000, 0.006),
    (70, 0.003, 0.005),
    (60, 0.000, 0.010),
    (60, -0.0045, 0.008),
    (130, 0.002, 0.007),
)
# Candles and the level around which the funding rate of a settlement lies.
_FUNDING = (
    (70, 0.0003),
    (60, -0.0002),
    (60, 0.0005),
    (50, -0.0001),
    (70, 0.0002),
    (40, -0.0003),
    (50, 0.0004),
)


def pair_csv(symbols: tuple[str, str], *, minutes: int) -> str:
    """A cointegrated pair: the first follows the second, and what parts them comes back within some candles.

    The second walks through a range, a rise, a wild range, a fall and a rise; the first moves 1.2 times as
    much, plus a spread that returns by a tenth each candle.
    """
    source = random.Random(_SEED)  # noqa: S311 - test data, not a secret
    second = _walk(source, _REGIMES)
    spread, first = 0.0, []
    for level in second:
        spread += source.gauss(0, 0.006) - 0.10 * spread
        first.append(1.2 * level + spread)
    return _csv(source, dict(zip(symbols, (first, second), strict=True)), minutes)


def basket_csv(symbols: Sequence[str], *, minutes: int) -> str:
    """A basket in which the leaders change: each market has its own drift in each fifth of the time."""
    source = random.Random(_SEED)  # noqa: S311
    walks = {}
    for number, symbol in enumerate(symbols):
        drifts = [0.004 * math.cos(2 * math.pi * (number / len(symbols) + fifth / 5)) for fifth in range(5)]
        walks[symbol] = _walk(source, [(CANDLES // 5, drift, 0.008) for drift in drifts])
    return _csv(source, walks, minutes)


def carry_csv(symbol: str, *, minutes: int) -> str:
    """A spot market and its perpetual, close to each other, with funding that is now positive, now negative.

    The perpetual stands above the spot market while longs pay. It settles every eight hours.
    """
    source = random.Random(_SEED)  # noqa: S311
    spot = _walk(source, _REGIMES)
    levels = [level for count, level in _FUNDING for _ in range(count)]
    perpetual = [
        price + 2 * level + source.gauss(0, 0.0002) for price, level in zip(spot, levels, strict=True)
    ]
    settles = max(1, _EIGHT_HOURS // minutes)
    rates = [
        round(level + source.gauss(0, 0.00004), 8) if index % settles == 0 else 0.0
        for index, level in enumerate(levels)
    ]
    name = f"{symbol}:{symbol.split('/')[1]}"
    return _csv(source, {symbol: spot, name: perpetual}, minutes, {symbol: [0.0] * CANDLES, name: rates})


def _walk(source: random.Random, regimes: Iterable[tuple[int, float, float]]) -> list[float]:
    """The logarithms of the closes."""
    level, levels = 0.0, []
    for count, drift, volatility in regimes:
        for _ in range(count):
            level += drift + source.gauss(0, volatility)
            levels.append(level)
    return levels


def _csv(
    source: random.Random,
    walks: dict[str, list[float]],
    minutes: int,
    funding: dict[str, list[float]] | None = None,
) -> str:
    """One line a candle and market, markets beside each other in time; times mark the opening in UTC."""
    lines = [f"{_HEADER},funding_rate" if funding else _HEADER]
    moments = [_START + timedelta(minutes=minutes * index) for index in range(CANDLES)]
    for index, moment in enumerate(moments):
        for symbol, walk in walks.items():
            opened = 100 * math.exp(walk[index - 1] if index else 0.0)
            closed = 100 * math.exp(walk[index])
            high = max(opened, closed) * (1 + abs(source.gauss(0, 0.002)))
            low = min(opened, closed) * (1 - abs(source.gauss(0, 0.002)))
            volume = 100 * (1 + abs(source.gauss(0, 0.5)))
            cells = [symbol, f"{moment:%Y-%m-%dT%H:%M:%SZ}"]
            cells += [f"{value:.4f}" for value in (opened, high, low, closed)]
            cells.append(f"{volume:.2f}")
            if funding:
                cells.append(f"{funding[symbol][index]:.8f}")
            lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


__all__ = ["CANDLES", "basket_csv", "carry_csv", "pair_csv"]
