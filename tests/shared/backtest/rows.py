"""Candles and orders of tests, short to write."""

from __future__ import annotations

from shared.backtest.candles import MarketCandles, read_market_csv
from shared.backtest.inside.ledger import Costs, Ledger, Row

FREE = Costs(0.0, 0.0, 0.0, 0.0)
HOUR = 3_600_000
START = 1_704_067_200_000  # 2024-01-01T00:00:00Z


def row(
    place: int,
    opening: float,
    high: float | None = None,
    low: float | None = None,
    close: float | None = None,
    *,
    volume: float = 1000.0,
    funding: float = 0.0,
) -> Row:
    """One hourly candle; what is left out equals the opening."""
    return (
        START + place * HOUR,
        opening,
        opening if high is None else high,
        opening if low is None else low,
        opening if close is None else close,
        volume,
        funding,
    )


def ledger(*rows: Row, costs: Costs = FREE, cash: float = 1000.0, short: bool = False) -> Ledger:
    """A ledger of one market."""
    return Ledger(markets=[list(rows)], shortable=[short], costs=costs, cash=cash)


def candles_csv(closes: list[float], *, volume: float = 1_000_000.0) -> bytes:
    """Candles whose opening is the close before, as a bot's CSV file."""
    lines = ["time,open,high,low,close,volume"]
    before = closes[0]
    for place, close in enumerate(closes):
        high, low = max(before, close), min(before, close)
        lines.append(f"{START + place * HOUR},{before},{high},{low},{close},{volume}")
        before = close
    return ("\n".join(lines) + "\n").encode()


def market(closes: list[float], *, volume: float = 1_000_000.0) -> MarketCandles:
    """The same as values."""
    return read_market_csv(candles_csv(closes, volume=volume), source="test.csv")
