"""The analysis of a market: each measure as a label, a few numbers and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from shared.market.candles import Candles
from shared.market.indicators import Indicators, indicators_of
from shared.market.measures import Measure, View
from shared.market.momentum import adx, bollinger, macd, rsi, trend
from shared.market.risk import drawdown, levels, regime, volatility, volume

# Candles before the window, so that long averages are settled where it begins.
WARM_UP = 250
MIN_CANDLES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketReport:
    """The measures of a window of candles, and the indicators of all candles for the chart."""

    window: Candles
    indicators: Indicators
    measures: dict[str, Measure]


def report_of(candles: Candles, *, start: int) -> MarketReport:
    """The report on the candles from index `start` on; earlier ones only settle the averages.

    Imports TA-Lib and counts, so call it in a thread. The window has at least `MIN_CANDLES`.
    """
    indicators = indicators_of(candles)
    view = View(candles=candles, window=candles.part(start), indicators=indicators)
    makers = (trend, regime, volatility, drawdown, rsi, macd, bollinger, adx, volume, levels)
    return MarketReport(
        window=view.window,
        indicators=indicators,
        measures={maker.__name__: maker(view) for maker in makers},
    )
