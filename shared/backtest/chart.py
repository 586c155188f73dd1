"""The chart of a backtest as a PNG: the account beside buying and holding, its drawdown, trades on the price.

The same backtest gives the same bytes, as in shared/market/chart.py. Imports matplotlib: call it in a thread.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from shared.backtest.inside.ledger import Fill
from shared.backtest.result import Backtest, Outcome
from shared.market.candles import DAY_MS, moment_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TICKS = 7
_ACCOUNT, _HOLD, _LOSS, _GRID = "#1f5fbf", "#8a939d", "#c8372d", "#d8dde3"
_BUY, _SELL = "#1a8f5a", "#c8372d"
_LINES = ("#444c56", "#e08a00", "#7a3fa0", "#1a8f5a", "#3566c0", "#a0522d")
_MAX_MARKS = 400


def draw_backtest(backtest: Backtest, *, title: str) -> bytes:
    """The PNG, 1100 by 1000 pixels; the backtest has an outcome."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    outcome = backtest.outcome
    assert outcome is not None
    figure = Figure(figsize=(11, 10), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    figure.subplots_adjust(left=0.055, right=0.925, top=0.95, bottom=0.06)
    account, fall, price = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1.3, 3), "hspace": 0.16}
    )
    _draw_account(account, outcome)
    _draw_drawdown(fall, outcome)
    _draw_prices(price, backtest, outcome.booking.fills)
    # Dollar signs would start a formula, and the font lacks most other scripts.
    plain = re.sub(r"[^ -~]", "?", title).replace("$", r"\$")
    account.set_title(plain, loc="left", fontsize=13, fontweight="bold")
    times = backtest.request.candles.times
    for axes in (account, fall, price):
        axes.grid(color=_GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlim(-1, len(times))
        axes.yaxis.tick_right()
        axes.tick_params(labelsize=10)
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    _label_times(price, times)
    target = BytesIO()
    figure.savefig(target, format="png", metadata={"Software": None})
    return target.getvalue()


def _draw_account(axes: Axes, outcome: Outcome) -> None:
    axes.plot(outcome.hold_equity, color=_HOLD, linewidth=1.2, label="buy and hold")
    axes.plot(outcome.booking.equity, color=_ACCOUNT, linewidth=1.6, label="this bot")
    axes.axhline(outcome.booking.start, color=_HOLD, linewidth=0.8, linestyle=":")
    _legend(axes)
    axes.set_ylabel("Account", fontsize=10)


def _draw_drawdown(axes: Axes, outcome: Outcome) -> None:
    below = _drawdowns(outcome.booking.equity)
    axes.fill_between(range(len(below)), below, 0, color=_LOSS, alpha=0.35, linewidth=0, label="this bot")
    axes.plot(_drawdowns(outcome.hold_equity), color=_HOLD, linewidth=1.0, label="buy and hold")
    axes.set_ylim(top=0)
    axes.set_ylabel("Below its high, %", fontsize=10)


def _draw_prices(axes: Axes, backtest: Backtest, fills: Sequence[Fill]) -> None:
    """The closes, and where the bot bought and sold; several markets as per cent of their first close."""
    markets = backtest.request.candles.of_symbols(backtest.symbols)
    scales = [1.0 if len(markets) == 1 else 100 / rows[0][4] for rows in markets]
    for place, (rows, scale) in enumerate(zip(markets, scales, strict=True)):
        label = re.sub(r"[^ -~]", "?", backtest.symbols[place]).replace("$", r"\$")
        color = _LINES[place % len(_LINES)]
        axes.plot([row[4] * scale for row in rows], color=color, linewidth=1.0, label=label)
    for side, marker, color in (("buy", "^", _BUY), ("sell", "v", _SELL)):
        marks = [fill for fill in fills if fill.side == side][-_MAX_MARKS:]
        axes.scatter(
            [fill.candle for fill in marks],
            [fill.price * scales[fill.market] for fill in marks],
            marker=marker,
            color=color,
            edgecolors="white",
            linewidths=0.5,
            s=42,
            zorder=3,
            label=side,
        )
    _legend(axes)
    axes.set_ylabel("Price" if len(markets) == 1 else "Price, first close = 100", fontsize=10)


def _legend(axes: Axes) -> None:
    """Above the plot, where it hides no line."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), fontsize=10, ncols=6, frameon=False)


def _drawdowns(equity: Sequence[float]) -> list[float]:
    """How far below its highest value so far the account is, in per cent (zero or less)."""
    high, below = equity[0], []
    for worth in equity:
        high = max(high, worth)
        below.append(100 * (worth / high - 1) if high > 0 else 0.0)
    return below


def _label_times(axes: Axes, times: Sequence[int]) -> None:
    places = list(range(0, len(times), max(1, -(-len(times) // _TICKS))))
    long = times[-1] - times[0] >= 30 * DAY_MS
    texts = [moment_text(times[place]) for place in places]
    axes.set_xticks(places, [text[:10] if long else f"{text[5:10]} {text[11:16]}" for text in texts])
    axes.set_xlabel("Candle's opening, UTC", fontsize=10)
