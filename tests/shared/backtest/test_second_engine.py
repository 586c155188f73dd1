"""The accounting beside a second engine (backtesting.py, for tests only) on its real prices of GOOG."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from shared.backtest.booking import book_orders
from shared.backtest.candles import MarketCandles, aligned
from shared.backtest.inside.ledger import Costs
from shared.backtest.inside.walk import Order
from shared.backtest.measures import measures_of
from shared.backtest.trades import trades_of

FAST, SLOW, UNITS, CASH, FEE = 10, 30, 10, 100_000.0, 0.002
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def prices() -> Any:
    """GOOG by day, 2004 to 2013, as a pandas frame."""
    # Its charts bring warnings of other packages, which say nothing of the prices.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The package has no types.
        from backtesting.test import GOOG  # type: ignore[import-untyped]
    return GOOG.copy()


def _candles(frame: Any) -> MarketCandles:
    cells = {
        round(moment.timestamp() * 1000): (
            round(moment.timestamp() * 1000),
            *(repr(float(row[name])) for name in ("Open", "High", "Low", "Close", "Volume")),
            "0",
        )
        for moment, row in frame.iterrows()
    }
    columns = ("time", "open", "high", "low", "close", "volume")
    return aligned({"GOOG": cells}, columns=columns, source="GOOG")


def _decisions(closes: list[float]) -> list[str | None]:
    """Buy and sell by candle, when the fast average crosses the slow one."""
    decided: list[str | None] = []
    is_held = False
    for place in range(len(closes)):
        fast, slow = (sum(closes[max(0, place + 1 - n) : place + 1]) / n for n in (FAST, SLOW))
        above = place >= SLOW and fast > slow
        decided.append("buy" if above and not is_held else "sell" if is_held and not above else None)
        is_held = above
    return decided


def _theirs(frame: Any, decided: list[str | None]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting import Backtest, Strategy  # type: ignore[import-untyped]

        class Follow(Strategy):  # type: ignore[misc]  # the package has no types
            def init(self) -> None:
                self.turn = 0

            def next(self) -> None:
                action = decided[len(self.data) - 1]
                if action == "buy":
                    self.buy(size=UNITS)
                elif action == "sell":
                    self.position.close()

        return Backtest(frame, Follow, cash=CASH, commission=FEE, finalize_trades=False).run()


def test_trades_and_account_are_those_of_a_second_engine(prices: Any) -> None:
    candles = _candles(prices)
    rows = candles.rows[0]
    decided = _decisions([row[4] for row in rows])
    orders: list[Order] = []
    for place, action in enumerate(decided[:-1]):
        if action == "buy":
            orders.append((place + 1, 0, "buy", UNITS * rows[place + 1][1], "cross"))
        elif action == "sell":
            orders.append((place + 1, 0, "reduce", float(UNITS), "cross"))
    booking = book_orders(candles, orders, costs=Costs(FEE, FEE, 0.0, 0.0), cash=CASH, symbols=["GOOG"])
    trades = trades_of(booking.fills, candles.rows, ["GOOG"])
    closed = [trade for trade in trades if not trade.is_open]

    stats = _theirs(prices, decided)
    table = stats["_trades"]
    assert len(closed) == len(table) > 30
    for trade, (_, theirs) in zip(closed, table.iterrows(), strict=True):
        assert (trade.entry_index, trade.exit_index) == (theirs["EntryBar"], theirs["ExitBar"])
        assert trade.entry_price == pytest.approx(theirs["EntryPrice"])
        assert trade.exit_price == pytest.approx(theirs["ExitPrice"])
        assert trade.profit == pytest.approx(theirs["PnL"], abs=1e-6)
    assert booking.equity == pytest.approx(list(stats["_equity_curve"]["Equity"]), rel=1e-9)

    measures = measures_of(booking, trades, candles.times, DAY_MS)
    assert measures.return_pct == pytest.approx(stats["Return [%]"])
    assert measures.max_drawdown_pct == pytest.approx(-stats["Max. Drawdown [%]"])
    assert measures.win_rate_pct == pytest.approx(stats["Win Rate [%]"])
