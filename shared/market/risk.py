"""Measures of risk and place: volatility, drawdown, volume, support and resistance, regime."""

from __future__ import annotations

from shared.market.candles import moment_text
from shared.market.indicators import PERIOD
from shared.market.levels import Level, levels_of
from shared.market.measures import Measure, View, last, number, percent, plain, price, unknown
from shared.market.regime import RECENT_RETURNS, regime_of
from shared.market.statistics import annualised_volatility, deviation, log_returns
from shared.market.statistics import drawdown as find_drawdown

_VOLUME_CANDLES = 20
_REGIME_WORDS = {
    "trending_up": "rises in a trend",
    "trending_down": "falls in a trend",
    "volatile_range": "swings without a trend, more than usual",
    "quiet_range": "is unusually quiet and has no trend",
    "range": "moves sideways",
}


def volatility(view: View) -> Measure:
    """Annualised deviation of log returns of the window, and ATR 14 in price and in percent."""
    yearly, atr = annualised_volatility(view.window), last(view.indicators.atr)
    values = {
        "annualised_pct": None if yearly is None else percent(yearly, 1),
        "atr14": None if atr is None else price(atr),
        "atr14_pct": None if atr is None else percent(atr / view.close),
    }
    words = []
    if yearly is None:
        words.append("Volatility needs three candles in the window")
    else:
        words.append(f"Volatility is {yearly:.1%} a year")
    if atr is None:
        words.append(f"ATR needs {PERIOD + 1} closed candles and there are {len(view.candles)}")
    else:
        words.append(f"a candle spans {number(atr)} on average (ATR 14, {atr / view.close:.2%} of the price)")
    label = "unknown" if yearly is None else "high" if yearly >= 0.8 else "low" if yearly < 0.3 else "medium"
    return Measure(label=label, sentence="; ".join(words) + ".", values=values)


def drawdown(view: View) -> Measure:
    """The deepest fall of the closes in the window, and how far the last is under their highest."""
    fall = find_drawdown(view.window)
    values: dict[str, float | None] = {"max_pct": percent(fall.deepest), "current_pct": percent(fall.current)}
    if fall.deepest == 0:
        return Measure(label="none", sentence="No close was under an earlier one's high.", values=values)
    now = f"now it is {fall.current:.1%} under its high" if fall.current else "now it is at its high"
    return Measure(
        label="at_high" if fall.current == 0 else "below_high",
        sentence=(
            f"The deepest fall was {fall.deepest:.1%}, from {moment_text(fall.peak_time)} to "
            f"{moment_text(fall.trough_time)}; {now}."
        ),
        values=values,
    )


def volume(view: View) -> Measure:
    """The last candle's volume over the mean of the 20 before it."""
    amounts = view.candles.volumes
    names = ("last", "average20", "relative")
    if len(amounts) <= _VOLUME_CANDLES:
        return unknown("Volume", view, _VOLUME_CANDLES + 1, *names)
    average = sum(amounts[-_VOLUME_CANDLES - 1 : -1]) / _VOLUME_CANDLES
    if average == 0:
        return Measure(
            label="unknown",
            sentence="Nothing was traded in the 20 candles before the last, so its volume has no measure.",
            values={"last": price(amounts[-1]), "average20": 0.0, "relative": None},
        )
    relative = amounts[-1] / average
    label = "high" if relative >= 1.5 else "low" if relative <= 0.5 else "normal"
    return Measure(
        label=label,
        sentence=f"The last candle's volume is {relative:.2f} times the mean of the 20 before it: {label}.",
        values={"last": price(amounts[-1]), "average20": price(average), "relative": plain(relative)},
    )


def levels(view: View) -> Measure:
    """Up to three supports and resistances of the window, nearest first, with how often the price turned."""
    atr = last(view.indicators.atr)
    if atr is None:
        return unknown("Support and resistance", view, PERIOD + 1)
    found = levels_of(view.window, atr=atr)
    values: dict[str, float | None] = {}
    for side, side_levels in (("support", found.supports), ("resistance", found.resistances)):
        for place, level in enumerate(side_levels, start=1):
            values[f"{side}_{place}"] = price(level.price)
            values[f"{side}_{place}_touches"] = float(level.touches)
    sentence = f"{_nearest('support', found.supports)}; {_nearest('resistance', found.resistances)}."
    return Measure(label="found" if values else "none", sentence=sentence.capitalize(), values=values)


def regime(view: View) -> Measure:
    """The market's regime by the rules of regime.py."""
    fast, slow = last(view.indicators.ema[20]), last(view.indicators.ema[50])
    strength = last(view.indicators.adx)
    returns = log_returns(view.candles.closes)
    usual, recent = deviation(returns), deviation(returns[-RECENT_RETURNS:])
    if fast is None or slow is None or strength is None or not usual or recent is None:
        return unknown("The regime", view, 50, "adx14", "volatility_ratio")
    ratio = recent / usual
    name = regime_of(adx=strength, fast_ema=fast, slow_ema=slow, volatility_ratio=ratio)
    return Measure(
        label=name,
        sentence=(
            f"The market {_REGIME_WORDS[name]} (ADX {strength:.1f}, recent volatility {ratio:.2f} "
            "times the usual)."
        ),
        values={"adx14": plain(strength), "volatility_ratio": plain(ratio)},
    )


def _nearest(side: str, found: tuple[Level, ...]) -> str:
    if not found:
        return f"no {side} was found in the window"
    level = found[0]
    times = "once" if level.touches == 1 else f"{level.touches} times"
    return f"the nearest {side} is {number(level.price)}, where the price turned {times}"
