"""Trades and measures against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from shared.backtest.booking import Booking, book_orders
from shared.backtest.inside.ledger import Costs
from shared.backtest.measures import buy_and_hold, drawdown, measures_of, returns_of, sharpe, sortino
from shared.backtest.trades import trades_of
from tests.shared.backtest.rows import FREE, HOUR, market, row

CLOSES = [100.0, 100.0, 110.0, 121.0, 99.0, 110.0]


def _booked(costs: Costs = FREE) -> Booking:
    """Buys 10 units at 100 in candle 2, sells half of them at 110 in candle 3, the rest at 99 in candle 5."""
    orders = [
        (2, 0, "buy", 1000.0, "up"),
        (3, 0, "reduce", 5.0, "half"),
        (5, 0, "reduce", 5.0, "down"),
    ]
    return book_orders(market(CLOSES), orders, costs=costs, cash=2000.0, symbols=["X"])


def test_each_exit_is_a_trade_with_its_share_of_the_fees() -> None:
    booking = _booked(Costs(0.0, 0.01, 0.0, 0.0))
    first, second = trades_of(booking.fills, market(CLOSES).rows, ["X"])
    assert (first.quantity, first.entry_price, first.exit_price, first.bars) == (5.0, 100.0, 110.0, 1)
    # Half of the entry's 10, and 1% of 550.
    assert first.fees == pytest.approx(5.0 + 5.5)
    assert first.profit == pytest.approx(50 - 10.5)
    assert first.profit_pct == pytest.approx(100 * 39.5 / 500)
    assert (second.exit_price, second.bars, second.reason, second.entry_reason) == (99.0, 3, "down", "up")
    assert second.profit == pytest.approx(-5 - 5 - 4.95)
    assert booking.equity[-1] - 2000 == pytest.approx(first.profit + second.profit)


def test_an_open_position_is_a_trade_at_the_last_close() -> None:
    orders = [(2, 0, "buy", 1000.0, "up")]
    booking = book_orders(market(CLOSES), orders, costs=FREE, cash=2000.0, symbols=["X"])
    (trade,) = trades_of(booking.fills, market(CLOSES).rows, ["X"])
    assert trade.is_open
    assert trade.profit == pytest.approx(100.0)
    assert (trade.reason, trade.bars) == ("still open", 3)


def test_a_short_trade_earns_from_a_fall() -> None:
    series = market(CLOSES)
    orders = [(4, 0, "short", 1210.0, "high"), (5, 0, "reduce", 10.0, "low")]
    booking = book_orders(series, orders, costs=FREE, cash=2000.0, symbols=["X/Y:Y"])
    (trade,) = trades_of(booking.fills, series.rows, ["X/Y:Y"])
    assert trade.side == "short"
    assert trade.profit == pytest.approx(220.0)


def test_measures_of_the_account() -> None:
    booking, series = _booked(), market(CLOSES)
    measures = measures_of(booking, trades_of(booking.fills, series.rows, ["X"]), series.times, HOUR)
    # 2000, 2000, 2100 (10 at 110), 2050 + 5 at 121 = 2155, 2045, sold: 2045.
    assert booking.equity == pytest.approx((2000, 2000, 2100, 2155, 2045, 2045))
    assert measures.return_pct == pytest.approx(2.25)
    assert measures.max_drawdown_pct == pytest.approx(100 * 110 / 2155)
    assert measures.max_drawdown_days == pytest.approx(2 / 24)
    assert (measures.trades, measures.win_rate_pct) == (2, 50.0)
    assert measures.profit_factor == pytest.approx(50 / 5)
    assert measures.in_market_pct == pytest.approx(50.0)
    shares = [1100 / 2100, 605 / 2155, 495 / 2045]
    assert measures.exposure_pct == pytest.approx(100 * sum(shares) / 6)
    # Six hours tell nothing of a year.
    assert measures.annual_return_pct is None
    assert measures.calmar is None


def test_a_yearly_rate_compounds() -> None:
    day = 24 * HOUR
    times = [place * day for place in range(731)]
    equity = tuple(1000 * 1.21 ** (place / 730) for place in range(731))
    held = Booking.of_holding(equity, 1000.0)
    measures = measures_of(held, (), times, day)
    assert measures.annual_return_pct == pytest.approx(100 * (1.21 ** (365.25 / 731) - 1))


def test_sharpe_and_sortino() -> None:
    returns = [0.01, -0.02, 0.03, 0.0]
    mean = 0.005
    deviation = math.sqrt(sum((value - mean) ** 2 for value in returns) / 3)
    assert sharpe(returns, 252) == pytest.approx(mean / deviation * math.sqrt(252))
    assert sortino(returns, 252) == pytest.approx(mean / math.sqrt(0.0004 / 4) * math.sqrt(252))
    assert sharpe([0.0, 0.0], 252) is None
    assert sortino([0.01, 0.02], 252) is None


def test_the_first_return_is_from_the_start() -> None:
    assert returns_of(100.0, [110.0, 99.0]) == pytest.approx([0.1, -0.1])


def test_drawdown_lasts_until_a_high_is_reached_again() -> None:
    assert drawdown([100, 120, 90, 119, 120, 130]) == pytest.approx((0.25, 2))
    assert drawdown([100, 90, 80, 85]) == pytest.approx((0.2, 3))
    assert drawdown([100, 101, 102]) == (0.0, 0)


def test_buy_and_hold_begins_at_the_second_opening_in_equal_parts() -> None:
    first = [row(0, 50), row(1, 100, close=110), row(2, 110, close=120)]
    second = [row(0, 9), row(1, 10, close=10), row(2, 10, close=5)]
    equity = buy_and_hold([first, second], cash=1000.0, taker=0.0, slippage=0.0)
    assert equity == pytest.approx([1000, 5 * 110 + 50 * 10, 5 * 120 + 50 * 5])
