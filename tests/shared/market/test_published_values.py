"""Indicators against the values that TA-Lib publishes for its own daily prices."""

from __future__ import annotations

import pytest

from shared.market.candles import Candles
from shared.market.indicators import Indicators, Series, indicators_of
from tests.shared.market import published


def candles(highs: tuple[float, ...], lows: tuple[float, ...], closes: tuple[float, ...]) -> Candles:
    return Candles.of(
        [
            (86_400_000 * place, close, high, low, close, 1.0)
            for place, (high, low, close) in enumerate(zip(highs, lows, closes, strict=True))
        ]
    )


@pytest.fixture(scope="module")
def ranges() -> Indicators:
    """Of the days whose highs and lows are known."""
    return indicators_of(candles(published.HIGHS, published.LOWS, published.CLOSES[: len(published.HIGHS)]))


@pytest.fixture(scope="module")
def closes() -> Indicators:
    """Of all days; what needs a high or a low says nothing here."""
    return indicators_of(candles(published.CLOSES, published.CLOSES, published.CLOSES))


def at(series: Series, values: tuple[tuple[int, float], ...]) -> list[float | None]:
    return [series[index] for index, _ in values]


def test_average_true_range(ranges: Indicators) -> None:
    expected = [value for _, value in published.ATR_14]
    # TA-Lib's own test takes a hundredth for equal; some of its values are cut, not rounded.
    assert at(ranges.atr, published.ATR_14) == pytest.approx(expected, abs=0.01)
    assert ranges.atr[13] is None


def test_directional_movement(ranges: Indicators) -> None:
    for series, values in (
        (ranges.plus_di, published.PLUS_DI_14),
        (ranges.minus_di, published.MINUS_DI_14),
        (ranges.adx, published.ADX_14),
    ):
        assert [round(value) for value in at(series, values) if value is not None] == [v for _, v in values]
    assert ranges.adx[26] is None


def test_convergence_and_divergence_of_averages(closes: Indicators) -> None:
    index, line = published.MACD_12_26_9
    _, signal = published.MACD_SIGNAL
    assert closes.macd[index] == pytest.approx(line, abs=5e-5)
    assert closes.macd_signal[index] == pytest.approx(signal, abs=5e-5)
    assert closes.macd_histogram[index] == pytest.approx(line - signal, abs=1e-4)
    assert closes.macd[index - 1] is None


def test_bollinger_bands(closes: Indicators) -> None:
    index, upper, middle, lower = published.BANDS_20_2
    assert closes.band_upper[index] == pytest.approx(upper, abs=5e-5)
    assert closes.band_middle[index] == pytest.approx(middle, abs=5e-5)
    assert closes.band_lower[index] == pytest.approx(lower, abs=5e-5)


def test_exponential_average(closes: Indicators) -> None:
    index, value = published.EMA_20
    assert closes.ema[20][index] == pytest.approx(value, abs=5e-5)
