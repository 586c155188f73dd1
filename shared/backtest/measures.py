"""What a backtest measures; each formula is told with its source in docs/backtesting.md.

Shares are per cent. None stands for a measure that these numbers do not define: its denominator is zero, or
there are too few values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from shared.backtest.booking import Booking
from shared.backtest.inside.ledger import Row
from shared.backtest.trades import Trade
from shared.market.candles import YEAR_MS

# Growth over less than a quarter, compounded, tells nothing of a year.
_LEAST_YEARS = 90 / 365.25
_MOST_ANNUAL = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of an account, or of one that bought at the beginning and held.

    `max_drawdown_days` is the longest time from a high of the account to the next one at least as high, or to
    the end. `exposure_pct` is the mean worth of what was held against the account, `turnover` how many times
    a year the account's mean worth was bought or sold.
    """

    final_equity: float
    return_pct: float
    annual_return_pct: float | None
    volatility_pct: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown_pct: float
    max_drawdown_days: float
    calmar: float | None
    exposure_pct: float
    in_market_pct: float
    turnover: float | None
    trades: int
    win_rate_pct: float | None
    profit_factor: float | None
    average_trade_pct: float | None
    best_trade_pct: float | None
    worst_trade_pct: float | None
    average_bars: float | None
    fees: float
    funding: float

    def form(self) -> dict[str, Any]:
        """The measures as JSON."""
        return asdict(self)


def measures_of(booking: Booking, trades: Sequence[Trade], times: Sequence[int], step_ms: int) -> Measures:
    """The measures of a booked account; `times` are the candles' openings, `step_ms` their length."""
    equity = booking.equity
    years = _years(times, step_ms)
    total = 100 * (equity[-1] / booking.start - 1)
    annual = _annual(equity[-1] / booking.start, years)
    depth, length = drawdown(equity)
    returns = returns_of(booking.start, equity)
    per_year = YEAR_MS / step_ms if step_ms else 0
    closed = [trade for trade in trades if not trade.is_open]
    traded = sum(fill.quantity * fill.price for fill in booking.fills)
    mean = math.fsum(equity) / len(equity)
    shares = [held / worth if worth > 0 else 0.0 for held, worth in zip(booking.held, equity, strict=True)]
    return Measures(
        final_equity=equity[-1],
        return_pct=total,
        annual_return_pct=annual,
        volatility_pct=_volatility(returns, per_year),
        sharpe=sharpe(returns, per_year),
        sortino=sortino(returns, per_year),
        max_drawdown_pct=100 * depth,
        max_drawdown_days=length * step_ms / 86_400_000,
        calmar=annual / (100 * depth) if annual is not None and depth > 0 else None,
        exposure_pct=100 * math.fsum(shares) / len(shares),
        in_market_pct=100 * sum(1 for held in booking.held if held) / len(booking.held),
        turnover=traded / mean / years if years > 0 and mean > 0 else None,
        funding=booking.funding,
        fees=math.fsum(fill.fee for fill in booking.fills),
        **_trade_measures(closed),
    )


def buy_and_hold(
    markets: Sequence[Sequence[Row]], *, cash: float, taker: float, slippage: float
) -> list[float]:
    """The worth at each close of an account that spends all its cash in equal parts at the second opening.

    The second, since no strategy can trade at the first; it pays the fees and slippage of its one purchase.
    """
    part = cash / len(markets)
    quantities = [part / (rows[1][1] * (1 + slippage) * (1 + taker)) for rows in markets]
    return [
        cash,
        *(
            sum(quantity * rows[index][4] for quantity, rows in zip(quantities, markets, strict=True))
            for index in range(1, len(markets[0]))
        ),
    ]


def returns_of(start: float, equity: Sequence[float]) -> list[float]:
    """The simple return of each candle; 0 after the account's ruin."""
    return [after / before - 1 if before > 0 else 0.0 for before, after in pairwise([start, *equity])]


def sharpe(returns: Sequence[float], per_year: float) -> float | None:
    """Mean over standard deviation of returns, annualised; the riskless rate is zero. Sharpe (1994)."""
    deviation = _deviation(returns)
    if deviation is None or deviation == 0:
        return None
    return math.fsum(returns) / len(returns) / deviation * math.sqrt(per_year)


def sortino(returns: Sequence[float], per_year: float) -> float | None:
    """Mean over downside deviation from zero, annualised. Sortino and Price (1994)."""
    if len(returns) < 2:
        return None
    below = math.sqrt(math.fsum(min(value, 0.0) ** 2 for value in returns) / len(returns))
    return None if below == 0 else math.fsum(returns) / len(returns) / below * math.sqrt(per_year)


def drawdown(equity: Sequence[float]) -> tuple[float, int]:
    """The deepest fall from a high as a share, and the longest stretch of candles below one."""
    high, since, deepest, longest = equity[0], 0, 0.0, 0
    for index, worth in enumerate(equity):
        if worth >= high:
            high, since = worth, index
        else:
            deepest = max(deepest, 1 - worth / high)
            longest = max(longest, index - since)
    return deepest, longest


def _trade_measures(closed: Sequence[Trade]) -> dict[str, Any]:
    won = math.fsum(trade.profit for trade in closed if trade.profit > 0)
    lost = -math.fsum(trade.profit for trade in closed if trade.profit < 0)
    shares = [trade.profit_pct for trade in closed]
    count = len(closed)
    return {
        "trades": count,
        "win_rate_pct": 100 * sum(1 for one in closed if one.profit > 0) / count if count else None,
        "profit_factor": won / lost if lost > 0 else None,
        "average_trade_pct": math.fsum(shares) / count if count else None,
        "best_trade_pct": max(shares, default=None),
        "worst_trade_pct": min(shares, default=None),
        "average_bars": sum(one.bars for one in closed) / count if count else None,
    }


def _years(times: Sequence[int], step_ms: int) -> float:
    return (times[-1] - times[0] + step_ms) / YEAR_MS


def _annual(growth: float, years: float) -> float | None:
    """The yearly rate that compounds to this growth, in per cent."""
    if years < _LEAST_YEARS or growth < 0:
        return None
    if growth == 0:
        return -100.0
    exponent = math.log(growth) / years
    return None if exponent > math.log(_MOST_ANNUAL) else 100 * math.expm1(exponent)


def _volatility(returns: Sequence[float], per_year: float) -> float | None:
    deviation = _deviation(returns)
    return None if deviation is None else 100 * deviation * math.sqrt(per_year)


def _deviation(values: Sequence[float]) -> float | None:
    """The sample standard deviation; None for fewer than two values."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
