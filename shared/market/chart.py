"""The chart of an analysis as a PNG: price with EMAs and Bollinger bands, volume, RSI.

The same candles give the same bytes: the object interface of matplotlib with its Agg canvas, no state shared
between threads, no time in the file. Imports matplotlib: call it in a thread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from shared.market.candles import DAY_MS, Candles, moment_text
from shared.market.indicators import Indicators, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_DRAWN = 300
_TICKS = 8
_UP, _DOWN, _GRID, _BAND = "#1a8f5a", "#c8372d", "#d8dde3", "#5b7fb5"
_EMAS = ((20, "#e08a00"), (50, "#3566c0"), (200, "#7a3fa0"))


def draw_chart(candles: Candles, indicators: Indicators, *, title: str) -> bytes:
    """The PNG of the last `MAX_DRAWN` candles of the window, 1100 by 800 pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = candles.part(max(0, len(candles) - MAX_DRAWN))
    figure = Figure(figsize=(11, 8), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.04, right=0.93, top=0.95, bottom=0.07)
    price, volume, strength = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": (5, 1.2, 1.5), "hspace": 0.06}
    )
    _draw_price(price, shown, indicators)
    _draw_volume(volume, shown)
    _draw_rsi(strength, indicators.rsi[-len(shown) :])
    # Dollar signs would start a formula, and the font lacks most other scripts.
    plain = re.sub(r"[^ -~]", "?", title).replace("$", r"\$")
    price.set_title(plain, loc="left", fontsize=12, fontweight="bold")
    for axes in (price, volume, strength):
        axes.grid(color=_GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlim(-1, len(shown))
        axes.yaxis.tick_right()
        axes.tick_params(labelsize=9)
    _label_times(strength, shown)
    target = BytesIO()
    figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def _draw_price(axes: Axes, candles: Candles, indicators: Indicators) -> None:
    count = len(candles)
    places = range(count)
    colors = _colors(candles)
    upper, lower = (_gaps(series[-count:]) for series in (indicators.band_upper, indicators.band_lower))
    axes.fill_between(places, lower, upper, color=_BAND, alpha=0.12, linewidth=0, label="Bollinger 20, 2")
    axes.vlines(places, candles.lows, candles.highs, colors=colors, linewidth=0.9)
    # Line collections, not bars: hundreds of rectangles take seconds.
    axes.vlines(places, *_bodies(candles), colors=colors, linewidth=_width(count))
    for period, color in _EMAS:
        values = indicators.ema[period][-count:]
        if any(value is not None for value in values):
            axes.plot(places, _gaps(values), color=color, linewidth=1.3, label=f"EMA {period}")
    axes.legend(loc="upper left", fontsize=9, ncols=4, framealpha=0.85)
    # Prices as people read them, without an offset beside the axis.
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)


def _draw_volume(axes: Axes, candles: Candles) -> None:
    axes.vlines(
        range(len(candles)), 0, candles.volumes, colors=_colors(candles), linewidth=_width(len(candles))
    )
    axes.set_ylim(bottom=0, top=max(candles.volumes) * 1.08 or 1)
    axes.set_ylabel("Volume", fontsize=9)


def _draw_rsi(axes: Axes, values: Series) -> None:
    axes.plot(range(len(values)), _gaps(values), color="#444c56", linewidth=1.2)
    for mark in (30, 70):
        axes.axhline(mark, color="#8a939d", linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 100)
    axes.set_yticks([30, 50, 70])
    axes.set_ylabel("RSI 14", fontsize=9)


def _label_times(axes: Axes, candles: Candles) -> None:
    step = max(1, -(-len(candles) // _TICKS))
    places = list(range(0, len(candles), step))
    daily = len(candles) < 2 or candles.times[1] - candles.times[0] >= DAY_MS
    texts = [moment_text(candles.times[place]) for place in places]
    axes.set_xticks(places, [text[:10] if daily else f"{text[5:10]} {text[11:16]}" for text in texts])
    axes.set_xlabel("Candle's opening, UTC", fontsize=9)


def _bodies(candles: Candles) -> tuple[list[float], list[float]]:
    """Bottoms and tops of the candles' bodies; one of no height still gets a line."""
    thin = (max(candles.highs) - min(candles.lows)) / 400
    pairs = list(zip(candles.opens, candles.closes, strict=True))
    bottoms = [min(pair) for pair in pairs]
    return bottoms, [max(*pair, min(pair) + thin) for pair in pairs]


def _width(count: int) -> float:
    """The width of a candle's body in points: of its place on the 9.8 inches, two thirds."""
    return max(0.9, min(24.0, 9.8 * 72 / count * 0.66))


def _colors(candles: Candles) -> list[str]:
    return [
        _UP if close >= opened else _DOWN for opened, close in zip(candles.opens, candles.closes, strict=True)
    ]


def _gaps(values: Sequence[float | None]) -> list[float]:
    """The values with NaN, which matplotlib leaves out, for None."""
    return [float("nan") if value is None else value for value in values]
