"""The trusted account: a bot's orders booked again from candles alone, whatever it says about its fills."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.backtest.candles import MarketCandles
from shared.backtest.inside.ledger import Costs, Fill, Ledger, Row
from shared.backtest.inside.walk import Order, book

# How far the bot's own account may lie from ours: both do the same operations.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What the orders came to: fills, and the account's worth at each candle's close.

    `held` is the worth of what was held at each close, all positions without their sign; `problems` say
    which orders could not be and where the bot's account differs from ours. `holdings` are quantity, entry
    price, last price and time of entry of each market, after the candles that were asked for.
    """

    fills: tuple[Fill, ...] = field(repr=False, hash=False)
    equity: tuple[float, ...] = field(repr=False, hash=False)
    held: tuple[float, ...] = field(repr=False, hash=False)
    start: float
    quantities: tuple[float, ...]
    entry_prices: tuple[float, ...]
    funding: float
    refused: int
    ruined_at: int | None
    problems: tuple[str, ...]
    holdings: dict[int, list[list[float]]] = field(repr=False, hash=False)

    @classmethod
    def of_holding(cls, equity: tuple[float, ...], start: float) -> Booking:
        """An account that bought once and held: all of it is invested from the second candle on."""
        return cls(
            fills=(),
            equity=equity,
            held=(0.0, *equity[1:]),
            start=start,
            quantities=(),
            entry_prices=(),
            funding=0.0,
            refused=0,
            ruined_at=None,
            problems=(),
            holdings={},
        )


def book_orders(
    candles: MarketCandles,
    orders: Sequence[Order],
    *,
    costs: Costs,
    cash: float,
    symbols: Sequence[str],
    told: dict[str, Any] | None = None,
    watch: Collection[int] = (),
) -> Booking:
    """Books the orders of a walk; `symbols` are the bot's markets in its order, `told` how it says it ended.

    `watch` are the candles after which the holdings are wanted.
    """
    markets: list[list[Row]] = [list(rows) for rows in candles.of_symbols(symbols)]
    ledger = Ledger(markets=markets, shortable=[":" in symbol for symbol in symbols], costs=costs, cash=cash)
    problems: list[str] = []
    equity, held, holdings = [], [], {}
    position, last = 0, len(orders)
    for index in range(len(markets[0])):
        if index and ledger.ruined_at is None:
            ledger.pay_funding(index)
            while position < last and orders[position][0] == index:
                _book_one(ledger, orders[position], problems)
                position += 1
            ledger.settle(index)
        if index in watch:
            holdings[index] = [
                [one.quantity, one.entry_price, one.last_price, one.last_buy_time] for one in ledger.positions
            ]
        equity.append(ledger.equity(index))
        held.append(
            sum(
                abs(one.quantity) * rows[index][4]
                for one, rows in zip(ledger.positions, markets, strict=True)
                if one.quantity
            )
        )
    if position < last:
        problems.append(
            f"{last - position} orders are not in the order of time, or come after the last candle"
        )
    problems += _differences(ledger, told)
    return Booking(
        fills=tuple(ledger.fills),
        equity=tuple(equity),
        held=tuple(held),
        start=cash,
        quantities=tuple(one.quantity for one in ledger.positions),
        entry_prices=tuple(one.entry_price for one in ledger.positions),
        funding=sum(ledger.funding),
        refused=ledger.refused,
        ruined_at=ledger.ruined_at,
        problems=tuple(problems),
        holdings=holdings,
    )


def _book_one(ledger: Ledger, order: Order, problems: list[str]) -> None:
    index, market, action, number, _ = order
    if not 0 <= market < len(ledger.markets):
        problems.append(f"candle {index}: an order for a market that there is not")
        return
    row = ledger.markets[market][index]
    if action == "exit" and not row[3] * (1 - 1e-12) <= number <= row[2] * (1 + 1e-12):
        problems.append(f"candle {index}: an exit at {number:g}, which the candle never reached")
        return
    book(ledger, order)


def _differences(ledger: Ledger, told: dict[str, Any] | None) -> list[str]:
    """Where the account inside ended otherwise than ours."""
    if told is None:
        return []
    ours = [ledger.cash, *(one.quantity for one in ledger.positions)]
    try:
        theirs = [float(told["cash"]), *(float(quantity) for quantity in told["quantities"])]
    except (KeyError, TypeError, ValueError):
        return ["the bot's account cannot be read"]
    scale = max(1.0, *(abs(value) for value in ours))
    if len(ours) != len(theirs) or any(
        abs(one - other) > _TOLERANCE * scale for one, other in zip(ours, theirs, strict=False)
    ):
        return ["the account inside the sandbox ended otherwise than the same orders booked outside"]
    return []
