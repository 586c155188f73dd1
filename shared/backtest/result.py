"""What a backtest found, as a value and as `backtest/result.json`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shared.backtest.booking import Booking
from shared.backtest.findings import CheckResult, Severity, worst
from shared.backtest.measures import Measures
from shared.backtest.protocol import Crash
from shared.backtest.request import BacktestRequest, files_sha256
from shared.backtest.trades import Trade
from shared.market.candles import moment_text, timeframe_name

SCHEMA_VERSION = 1
MAX_TRADES, MAX_POINTS = 1000, 2000
LIMITS = (
    "Past prices say nothing certain of future ones.",
    "Fills are a model: the order book, the queue before a resting order, latency, outages and the effect of "
    "one's own orders on the price are not in candles.",
    "Inside a candle the order of its high and low is not known: of stop and target the stop is taken first.",
    "Exchanges' steps of price and quantity, least order sizes, taxes and interest are left out.",
    "The strategy's own code decided here; what the bot does around it (reading data, sending orders, "
    "keeping state) is tried by verify_bot, not by this backtest.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The account and what it is measured against."""

    booking: Booking = field(repr=False)
    trades: tuple[Trade, ...] = field(repr=False, hash=False)
    measures: Measures
    hold: Measures
    hold_equity: tuple[float, ...] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """One backtest: what was asked, what came of it, and the checks.

    `outcome` is None where the bot failed before its first decision. `symbols` are the bot's markets in its
    own order; `needed` is how many candles it says it needs.
    """

    request: BacktestRequest
    symbols: tuple[str, ...]
    needed: int
    outcome: Outcome | None
    crash: Crash | None
    checks: tuple[CheckResult, ...]
    isolation: str
    seconds: float

    @property
    def severity(self) -> Severity:
        """The gravest of the checks'."""
        return worst(self.checks)

    @property
    def verdict(self) -> str:
        """In a sentence, whether the figures can be believed."""
        if self.outcome is None:
            return "The bot failed before it decided anything."
        return {
            "finding": "Do not trust these figures: a check failed.",
            "warning": "The figures were obtained honestly, but there are weaknesses.",
        }.get(self.severity, "The figures were obtained honestly; no check speaks against them.")

    def form(self) -> dict[str, Any]:
        """The result as JSON; docs/backtesting.md tells each field."""
        request, candles = self.request, self.request.candles
        form: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "severity": self.severity,
            "files_sha256": files_sha256(request.files),
            "runtime": request.runtime,
            "config": request.shown_config,
            "symbols": list(self.symbols),
            "candles_needed": self.needed,
            "candles": {
                "source": candles.source,
                "count": len(candles),
                "timeframe": timeframe_name(candles.step_ms),
                "first": moment_text(candles.times[0]),
                "last": moment_text(candles.times[-1]),
            },
            "costs": {
                "maker_pct": request.costs.maker_pct,
                "taker_pct": request.costs.taker_pct,
                "slippage_bps": request.costs.slippage_bps,
                "volume_share_pct": request.costs.volume_share_pct,
            },
            "measures": None,
            "buy_and_hold": None,
            "checks": [check.form() for check in self.checks],
            "limits": list(LIMITS),
            "isolation": self.isolation,
        }
        if self.outcome is not None:
            form |= _outcome_form(self.outcome, candles.times)
        return form


def _outcome_form(outcome: Outcome, times: list[int]) -> dict[str, Any]:
    trades = outcome.trades
    step = max(1, -(-len(times) // MAX_POINTS))
    kept = [*range(0, len(times), step)]
    if kept[-1] != len(times) - 1:
        kept.append(len(times) - 1)
    return {
        "start": outcome.booking.start,
        "measures": outcome.measures.form(),
        "buy_and_hold": outcome.hold.form(),
        "trades": [trade.form() for trade in trades[-MAX_TRADES:]],
        "trades_left_out": max(0, len(trades) - MAX_TRADES),
        "orders_cut": sum(1 for fill in outcome.booking.fills if fill.cut),
        "orders_refused": outcome.booking.refused,
        "equity": [[moment_text(times[place]), round(outcome.booking.equity[place], 6)] for place in kept],
    }
