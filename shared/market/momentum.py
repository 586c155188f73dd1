"""Measures of direction and momentum: trend, RSI, MACD, Bollinger bands, ADX."""

from __future__ import annotations

from shared.market.indicators import BAND_PERIOD, PERIOD
from shared.market.measures import Measure, View, last, number, percent, plain, price, unknown

SLOPE_CANDLES = 10
# Percent a candle: a slope within it is level.
_LEVEL = 0.005


def trend(view: View) -> Measure:
    """EMA 20, 50 and 200, and the slope of the first two over the last 10 candles in percent a candle."""
    fast, slow, long = (last(view.indicators.ema[period]) for period in (20, 50, 200))
    fast_slope, slow_slope = (_slope(view, period) for period in (20, 50))
    values = {
        "ema20": None if fast is None else price(fast),
        "ema50": None if slow is None else price(slow),
        "ema200": None if long is None else price(long),
        "ema20_slope_pct": fast_slope,
        "ema50_slope_pct": slow_slope,
    }
    if fast is None or slow is None or fast_slope is None or slow_slope is None:
        needed = 50 + SLOPE_CANDLES
        count = len(view.candles)
        return Measure(
            label="unknown",
            sentence=f"The trend needs {needed} closed candles and there are {count}.",
            values=values,
        )
    if fast > slow and fast_slope > _LEVEL and slow_slope > _LEVEL:
        label = "up"
    elif fast < slow and fast_slope < -_LEVEL and slow_slope < -_LEVEL:
        label = "down"
    else:
        label = "sideways" if abs(slow_slope) <= _LEVEL else "mixed"
    side = "" if long is None else f"; the price is {_side(view.close, long)} the 200 EMA"
    sentence = (
        f"The trend is {label}: the 20 EMA ({number(fast)}) is {_side(fast, slow)} the 50 EMA "
        f"({number(slow)}), their slopes are {fast_slope:+.3f} % and {slow_slope:+.3f} % a candle{side}."
    )
    return Measure(label=label, sentence=sentence, values=values)


def rsi(view: View) -> Measure:
    """RSI 14; 70 and 30 are Wilder's marks."""
    value = last(view.indicators.rsi)
    if value is None:
        return unknown("RSI", view, PERIOD + 1, "rsi14")
    label = "overbought" if value >= 70 else "oversold" if value <= 30 else "neutral"
    return Measure(label=label, sentence=f"RSI 14 is {value:.1f}: {label}.", values={"rsi14": plain(value)})


def macd(view: View) -> Measure:
    """MACD 12, 26, 9."""
    made = view.indicators
    line, signal, histogram = last(made.macd), last(made.macd_signal), last(made.macd_histogram)
    if line is None or signal is None or histogram is None:
        return unknown("MACD", view, 34, "macd", "signal", "histogram")
    # Rounding of the averages leaves dust where the price does not move.
    dust = view.close * 1e-9
    label = "bullish" if histogram > dust else "bearish" if histogram < -dust else "neutral"
    before = last(made.macd_histogram, 1)
    change = ""
    if before is not None and abs(histogram - before) > dust:
        change = " and the gap widens" if abs(histogram) > abs(before) else " and the gap narrows"
    return Measure(
        label=label,
        sentence=(
            f"MACD ({number(line)}) is {_side(line, signal, dust)} its signal ({number(signal)}){change}."
        ),
        values={"macd": price(line), "signal": price(signal), "histogram": price(histogram)},
    )


def bollinger(view: View) -> Measure:
    """Bollinger bands; percent_b is 0 at the lower and 1 at the upper band, the width is that of both."""
    made = view.indicators
    upper, middle, lower = last(made.band_upper), last(made.band_middle), last(made.band_lower)
    if upper is None or middle is None or lower is None:
        return unknown("Bollinger's band", view, BAND_PERIOD, "upper", "middle", "lower", "percent_b")
    width = upper - lower
    values = {"upper": price(upper), "middle": price(middle), "lower": price(lower)}
    if width <= view.close * 1e-9:
        return Measure(
            label="flat",
            sentence="The Bollinger bands have no width: the price did not move for 20 candles.",
            values={**values, "percent_b": None, "width_pct": 0.0},
        )
    place = (view.close - lower) / width
    label = "above" if place > 1 else "below" if place < 0 else "inside"
    return Measure(
        label=label,
        sentence=(
            f"The price is {label} the Bollinger bands ({number(lower)} to {number(upper)}), at {place:.0%} "
            f"of their width of {width / middle:.1%}."
        ),
        values={**values, "percent_b": plain(place), "width_pct": percent(width / middle)},
    )


def adx(view: View) -> Measure:
    """ADX 14 with both directional indicators."""
    made = view.indicators
    value, plus, minus = last(made.adx), last(made.plus_di), last(made.minus_di)
    if value is None or plus is None or minus is None:
        return unknown("ADX", view, 2 * PERIOD, "adx14", "plus_di", "minus_di")
    label = "strong" if value >= 25 else "weak" if value < 20 else "moderate"
    side = "buyers" if plus > minus else "sellers"
    return Measure(
        label=label,
        sentence=f"ADX 14 is {value:.1f}, a {label} trend; {side} have the upper hand.",
        values={"adx14": plain(value), "plus_di": plain(plus), "minus_di": plain(minus)},
    )


def _slope(view: View, period: int) -> float | None:
    now, before = (last(view.indicators.ema[period], back) for back in (0, SLOPE_CANDLES))
    if now is None or before is None:
        return None
    return percent((now / before - 1) / SLOPE_CANDLES, 4)


def _side(value: float, other: float, within: float = 0.0) -> str:
    if abs(value - other) <= max(within, abs(other) * 1e-9):
        return "at"
    return "above" if value > other else "below"
