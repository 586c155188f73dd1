"""The report as one HTML page for people: no script, nothing from outside, everything escaped."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.backtest.findings import SEVERITIES
from shared.backtest.request import files_sha256
from shared.backtest.result import LIMITS, Backtest
from shared.market.candles import moment_text, timeframe_name

if TYPE_CHECKING:
    import jinja2

SHOWN_TRADES = 200
_SHOWN_MAP = 60
# Below it there is no return a year either (measures.py).
_QUARTER_MS = 90 * 86_400_000


def render_report(backtest: Backtest, *, title: str, chart: bytes | None) -> bytes:
    """The page; `chart` is the PNG, None where there is nothing to draw."""
    candles = backtest.request.candles
    outcome = backtest.outcome
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            backtest=backtest,
            candles=candles,
            timeframe=timeframe_name(candles.step_ms),
            first=moment_text(candles.times[0]),
            last=moment_text(candles.times[-1]),
            files=files_sha256(backtest.request.files),
            chart=base64.b64encode(chart).decode() if chart else None,
            figures=_figures(backtest),
            checks=sorted(backtest.checks, key=lambda check: SEVERITIES.index(check.severity)),
            trades=[trade for trade in outcome.trades[-SHOWN_TRADES:]] if outcome else [],
            trades_left_out=max(0, len(outcome.trades) - SHOWN_TRADES) if outcome else 0,
            several=len(backtest.symbols) > 1,
            map_rows=_map_rows(backtest),
            folds=_folds(backtest),
            limits=LIMITS,
            notes=_notes(backtest),
        )
    )
    return page.encode()


def _figures(backtest: Backtest) -> list[tuple[str, str, str, str]]:
    """Name, the bot's figure, buy and hold's, and what the name means."""
    if backtest.outcome is None:
        return []
    mine, hold = backtest.outcome.measures, backtest.outcome.hold
    both = (
        ("Return", "return_pct", "%", "what the account gained or lost in all"),
        ("Return a year", "annual_return_pct", "%", "the yearly rate that compounds to it"),
        ("Largest drawdown", "max_drawdown_pct", "%", "the deepest fall below an earlier high"),
        ("Longest drawdown", "max_drawdown_days", " days", "the longest time below an earlier high"),
        ("Volatility a year", "volatility_pct", "%", "standard deviation of returns"),
        ("Sharpe", "sharpe", "", "mean return over its standard deviation, a year"),
        ("Sortino", "sortino", "", "mean return over its downside deviation, a year"),
        ("Calmar", "calmar", "", "return a year over the largest drawdown"),
        ("Exposure", "exposure_pct", "%", "mean part of the account that was invested"),
    )
    rows = [
        (name, _number(getattr(mine, key), unit), _number(getattr(hold, key), unit), meaning)
        for name, key, unit, meaning in both
    ]
    alone = (
        ("Closed trades", "trades", "", "positions or parts of them that ended"),
        ("Trades won", "win_rate_pct", "%", "closed trades with a profit after fees"),
        ("Profit factor", "profit_factor", "", "profits over losses of closed trades"),
        ("Mean trade", "average_trade_pct", "%", "after fees"),
        ("Candles held", "average_bars", "", "mean length of a closed trade"),
        ("Turnover a year", "turnover", "x", "how often the account was bought or sold"),
        ("Fees paid", "fees", "", "in the quote currency"),
        ("Funding paid", "funding", "", "in the quote currency; below zero it was received"),
    )
    rows += [(name, _number(getattr(mine, key), unit), "", meaning) for name, key, unit, meaning in alone]
    return rows


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "–"  # noqa: RUF001 - an en dash, as tables have it
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return f"{text}{unit}"


def _notes(backtest: Backtest) -> list[str]:
    """What a reader should know of how orders were filled and where candles come from."""
    notes = []
    candles, outcome = backtest.request.candles, backtest.outcome
    if candles.source == "sample.csv":
        notes.append(
            "The candles are those that the bot ships with. Where they were generated, they show that it "
            "works, not that it earns."
        )
    if outcome and candles.times[-1] - candles.times[0] < _QUARTER_MS:
        notes.append(
            "Under 90 days say nothing of a year: Sharpe, Sortino and the volatility of a year are scaled up "
            "from too little, and flatter or damn by chance."
        )
    if candles.dropped:
        notes.append(f"{candles.dropped:,} candles were left out, as not every market has their time.")
    if not backtest.request.volume_known:
        notes.append("The candles have no volume, so no order was limited by it.")
    cut = sum(1 for fill in outcome.booking.fills if fill.cut) if outcome else 0
    if cut:
        notes.append(f"{cut:,} orders were filled in part: the candle's volume or the account left no more.")
    return notes


def _check(backtest: Backtest, name: str) -> dict[str, Any]:
    return next((check.evidence for check in backtest.checks if check.check == name), {})


def _map_rows(backtest: Backtest) -> list[tuple[str, str]]:
    points = _check(backtest, "over_fitting").get("map", [])
    return [
        (
            ", ".join(f"{name} {value:g}" for name, value in point["parameters"].items()),
            "refused by the bot" if point["return_pct"] is None else f"{point['return_pct']:+.2f}%",
        )
        for point in points[:_SHOWN_MAP]
    ]


def _folds(backtest: Backtest) -> list[dict[str, Any]]:
    folds: list[dict[str, Any]] = _check(backtest, "over_fitting").get("walk_forward", [])
    return folds


@cache
def _environment() -> jinja2.Environment:
    # Imported on first use: jinja2 costs a cold start 30 ms.
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = lambda time: moment_text(time)[:16].replace("T", " ")
    environment.filters["price"] = lambda value: f"{value:,.8g}"
    environment.filters["amount"] = lambda value: f"{value:,.2f}"
    return environment
