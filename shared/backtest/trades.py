"""Trades out of fills: what was given up of a position, against what it had cost on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.backtest.inside.ledger import Fill, Row
from shared.market.candles import moment_text

_DUST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A position, or the part of one that one fill closed.

    Entry price is the average of the position, entry time that of its first fill. `fees` are those of the
    exit and the part's share of the entries'. `profit` is in the quote currency after fees, without
    funding; `profit_pct` is of what the part had cost. `reason` is why it ended; open ones have none yet
    and the last close as exit price.
    """

    symbol: str
    side: Literal["long", "short"]
    quantity: float
    entry_index: int
    exit_index: int
    entry_time: int
    exit_time: int
    entry_price: float
    exit_price: float
    fees: float
    profit: float
    profit_pct: float
    bars: int
    entry_reason: str
    reason: str
    is_open: bool

    def form(self) -> dict[str, Any]:
        """The trade as JSON."""
        return {
            "symbol": self.symbol,
            "side": self.side,
            "quantity": self.quantity,
            "entry_time": moment_text(self.entry_time),
            "entry_price": self.entry_price,
            "exit_time": moment_text(self.exit_time),
            "exit_price": self.exit_price,
            "fees": self.fees,
            "profit": self.profit,
            "profit_pct": self.profit_pct,
            "bars": self.bars,
            "entry_reason": self.entry_reason,
            "reason": self.reason,
            "open": self.is_open,
        }


@dataclass(slots=True)
class _Open:
    """A position while it lasts; `fees` are its entries' that no exit has taken yet."""

    index: int
    reason: str
    quantity: float = 0.0
    price: float = 0.0
    fees: float = 0.0


def trades_of(
    fills: Sequence[Fill], markets: Sequence[Sequence[Row]], symbols: Sequence[str]
) -> tuple[Trade, ...]:
    """The trades in the order in which they ended, open positions last."""
    held: dict[int, _Open] = {}
    trades: list[Trade] = []
    for fill in fills:
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        position = held.get(fill.market)
        if position is None:
            position = held[fill.market] = _Open(fill.candle, fill.reason)
        if position.quantity * signed >= 0:
            cost = position.quantity * position.price + signed * fill.price
            position.quantity += signed
            position.price = cost / position.quantity
            position.fees += fill.fee
            continue
        trades.append(_closed(position, fill, markets[fill.market], symbols[fill.market]))
        left = position.quantity + signed
        if abs(left) <= abs(position.quantity) * _DUST:
            del held[fill.market]
        else:
            position.fees *= left / position.quantity
            position.quantity = left
    for market, position in held.items():
        rows = markets[market]
        end = Fill(
            len(rows) - 1, market, "", abs(position.quantity), rows[-1][4], 0.0, False, "still open", False
        )
        trades.append(_closed(position, end, rows, symbols[market], is_open=True))
    return tuple(trades)


def _closed(position: _Open, fill: Fill, rows: Sequence[Row], symbol: str, *, is_open: bool = False) -> Trade:
    quantity = min(fill.quantity, abs(position.quantity))
    side = 1 if position.quantity > 0 else -1
    fees = fill.fee + position.fees * quantity / abs(position.quantity)
    profit = side * quantity * (fill.price - position.price) - fees
    return Trade(
        symbol=symbol,
        side="long" if side > 0 else "short",
        quantity=quantity,
        entry_index=position.index,
        exit_index=fill.candle,
        entry_time=rows[position.index][0],
        exit_time=rows[fill.candle][0],
        entry_price=position.price,
        exit_price=fill.price,
        fees=fees,
        profit=profit,
        profit_pct=100 * profit / (quantity * position.price),
        bars=fill.candle - position.index,
        entry_reason=position.reason,
        reason=fill.reason,
        is_open=is_open,
    )
