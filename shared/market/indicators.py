"""The classic indicators over candles, by TA-Lib; None where an indicator has no value yet or none at all.

Periods are the customary ones: EMA 20, 50 and 200; RSI, ATR and ADX 14 with Wilder's smoothing (J. W. Wilder,
New Concepts in Technical Trading Systems, 1978); MACD 12, 26, 9 (G. Appel); Bollinger bands of 20 candles and
two population standard deviations (J. Bollinger).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from shared.market.candles import Candles

EMA_PERIODS = (20, 50, 200)
PERIOD = 14
BAND_PERIOD = 20

Series = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicators:
    """Each indicator as a series as long as the candles."""

    ema: dict[int, Series]
    rsi: Series
    macd: Series
    macd_signal: Series
    macd_histogram: Series
    atr: Series
    adx: Series
    plus_di: Series
    minus_di: Series
    band_upper: Series
    band_middle: Series
    band_lower: Series


def indicators_of(candles: Candles) -> Indicators:
    """All indicators of the candles; imports numpy and TA-Lib, so call it in a thread."""
    import numpy
    import talib

    high, low, close = (
        numpy.asarray(column, dtype=numpy.float64) for column in (candles.highs, candles.lows, candles.closes)
    )
    macd, signal, histogram = talib.MACD(close, 12, 26, 9)
    upper, middle, lower = talib.BBANDS(close, BAND_PERIOD, 2.0, 2.0)
    # Where no price moved, Wilder's ratios are zero over zero, for which TA-Lib gives 0.
    rsi = _where_moved(_series(talib.RSI(close, PERIOD)), candles.closes)
    adx, plus, minus = (
        _where_moved(_series(function(high, low, close, PERIOD)), candles.highs, candles.lows)
        for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)
    )
    return Indicators(
        ema={period: _series(talib.EMA(close, period)) for period in EMA_PERIODS},
        rsi=rsi,
        macd=_series(macd),
        macd_signal=_series(signal),
        macd_histogram=_series(histogram),
        atr=_series(talib.ATR(high, low, close, PERIOD)),
        adx=adx,
        plus_di=plus,
        minus_di=minus,
        band_upper=_series(upper),
        band_middle=_series(middle),
        band_lower=_series(lower),
    )


def _series(values: Iterable[float]) -> Series:
    return tuple(float(value) if math.isfinite(value) else None for value in values)


def _where_moved(series: Series, *columns: tuple[float, ...]) -> Series:
    """The series without its values before the first move of a price."""
    still = min(next((i for i, v in enumerate(column) if v != column[0]), len(column)) for column in columns)
    return tuple(None if index < still else value for index, value in enumerate(series))
