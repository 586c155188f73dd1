"""Indicators against tables that others published, and against formulas in plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from shared.market.candles import Candles
from shared.market.indicators import Indicators, indicators_of

# The QQQQ closes of StockCharts' ChartSchool page on RSI and the RSI 14 that it gives for the last six.
RSI_CLOSES = (
    44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931,
    46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439,
)  # fmt: skip
RSI_VALUES = (70.53, 66.32, 66.55, 69.41, 66.36, 57.97)


def candles_of(closes: Sequence[float], spread: float = 1.0) -> Candles:
    rows = [
        (3_600_000 * place, close, close + spread, close - spread, close, 10.0)
        for place, close in enumerate(closes)
    ]
    return Candles.of(rows)


def walk(count: int, seed: int = 7) -> Candles:
    """Candles of a seeded random walk whose ranges differ."""
    source = random.Random(seed)
    rows, price = [], 100.0
    for place in range(count):
        opened, price = price, price * math.exp(source.gauss(0, 0.02))
        high = max(opened, price) * (1 + source.random() * 0.01)
        low = min(opened, price) * (1 - source.random() * 0.01)
        rows.append((3_600_000 * place, opened, high, low, price, source.random() * 50))
    return Candles.of(rows)


def wilder(values: Sequence[float], period: int = 14) -> list[float]:
    """Wilder's average: the mean of the first values, then each new one counts for one part of `period`."""
    means = [sum(values[:period]) / period]
    for value in values[period:]:
        means.append((means[-1] * (period - 1) + value) / period)
    return means


def plain_ema(values: Sequence[float], period: int) -> list[float]:
    """The exponential average that begins with the mean of the first values."""
    means = [sum(values[:period]) / period]
    for value in values[period:]:
        means.append(means[-1] + (value - means[-1]) * 2 / (period + 1))
    return means


def plain_rsi(closes: Sequence[float]) -> list[float]:
    changes = [after - before for before, after in pairwise(closes)]
    gains, losses = wilder([max(c, 0.0) for c in changes]), wilder([max(-c, 0.0) for c in changes])
    return [100 * gain / (gain + loss) for gain, loss in zip(gains, losses, strict=True)]


def true_ranges(candles: Candles) -> list[float]:
    return [
        max(candles.highs[i], candles.closes[i - 1]) - min(candles.lows[i], candles.closes[i - 1])
        for i in range(1, len(candles))
    ]


def plain_adx(candles: Candles, period: int = 14) -> list[tuple[float, float, float]]:
    """ADX, +DI and -DI by Wilder's book, whose sums begin with one value less than the period."""
    plus, minus = [], []
    for i in range(1, len(candles)):
        up, down = candles.highs[i] - candles.highs[i - 1], candles.lows[i - 1] - candles.lows[i]
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)

    def sums(values: Sequence[float]) -> list[float]:
        total = sum(values[: period - 1])
        found = []
        for value in values[period - 1 :]:
            total = total - total / period + value
            found.append(total)
        return found

    ranges, plus_sums, minus_sums = sums(true_ranges(candles)), sums(plus), sums(minus)
    plus_di = [100 * p / r for p, r in zip(plus_sums, ranges, strict=True)]
    minus_di = [100 * m / r for m, r in zip(minus_sums, ranges, strict=True)]
    strength = [100 * abs(p - m) / (p + m) for p, m in zip(plus_di, minus_di, strict=True)]
    adx = wilder(strength, period)
    return list(zip(adx, plus_di[period - 1 :], minus_di[period - 1 :], strict=True))


def known(series: Sequence[float | None]) -> list[float]:
    return [value for value in series if value is not None]


def test_rsi_of_the_published_table() -> None:
    assert known(indicators_of(candles_of(RSI_CLOSES)).rsi) == pytest.approx(RSI_VALUES, abs=0.01)


def test_bollinger_and_averages_of_numbers_one_can_check_by_hand() -> None:
    # 1..20: the mean is 10.5, the population variance (20² - 1) / 12 = 33.25.
    made = indicators_of(candles_of([float(n) for n in range(1, 21)], spread=0.5))
    spread = 2 * math.sqrt(33.25)
    assert made.band_middle[-1] == pytest.approx(10.5)
    assert made.band_upper[-1] == pytest.approx(10.5 + spread)
    assert made.band_lower[-1] == pytest.approx(10.5 - spread)
    assert made.ema[20][-1] == pytest.approx(10.5)
    # Each candle spans 1, and its high is 1.5 over the close before.
    assert made.atr[-1] == pytest.approx(1.5)
    assert made.rsi[-1] == pytest.approx(100.0)


@pytest.fixture(scope="module")
def drawn() -> Candles:
    return walk(400)


@pytest.fixture(scope="module")
def made(drawn: Candles) -> Indicators:
    return indicators_of(drawn)


def test_rsi_and_atr_are_wilder_s(drawn: Candles, made: Indicators) -> None:
    assert known(made.rsi) == pytest.approx(plain_rsi(drawn.closes))
    assert known(made.atr) == pytest.approx(wilder(true_ranges(drawn)))


@pytest.mark.parametrize("period", [20, 50, 200])
def test_ema_is_the_plain_one(drawn: Candles, made: Indicators, period: int) -> None:
    assert known(made.ema[period]) == pytest.approx(plain_ema(drawn.closes, period))
    assert made.ema[period][: period - 1] == (None,) * (period - 1)


def test_macd_is_the_difference_of_two_averages(drawn: Candles, made: Indicators) -> None:
    # TA-Lib lets the fast average begin with the slow one, so that both have the same first candle.
    fast, slow = plain_ema(drawn.closes[14:], 12), plain_ema(drawn.closes, 26)
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    signal = plain_ema(line, 9)
    assert known(made.macd) == pytest.approx(line[8:])
    assert known(made.macd_signal) == pytest.approx(signal)
    assert known(made.macd_histogram) == pytest.approx([a - b for a, b in zip(line[8:], signal, strict=True)])


def test_adx_is_wilder_s(drawn: Candles, made: Indicators) -> None:
    expected = plain_adx(drawn)
    assert known(made.adx) == pytest.approx([adx for adx, _, _ in expected])
    assert made.plus_di[-1] == pytest.approx(expected[-1][1])
    assert made.minus_di[-1] == pytest.approx(expected[-1][2])


def test_every_series_is_as_long_as_the_candles_and_holds_no_nan() -> None:
    for count in (1, 2, 15, 60):
        made = indicators_of(walk(count))
        every = [*made.ema.values(), made.rsi, made.macd, made.atr, made.adx, made.band_upper]
        assert {len(series) for series in every} == {count}
        assert not [v for series in every for v in series if v is not None and not math.isfinite(v)]


def test_ratios_of_prices_that_never_moved_are_unknown() -> None:
    made = indicators_of(candles_of([100.0] * 80, spread=0.0))
    assert known(made.rsi) == known(made.adx) == known(made.plus_di) == []
    assert made.atr[-1] == 0
    assert made.ema[50][-1] == pytest.approx(100)
