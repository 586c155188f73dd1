"""The model of fills: what an order on past candles would have become, and what it did to the account.

The same file runs in the sandbox, so that holdings feed back into the strategy, and outside, where the
orders are booked again from candles alone. `ledger.mjs` does the same operations in the same order.

Numbers are binary floats: both runtimes then agree to the last bit, an error of 1e-15 a booking is far below
any tick, and a year of hourly candles costs milliseconds. Bots see them as decimals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Row = tuple[int, float, float, float, float, float, float]
_OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _FUNDING = 1, 2, 3, 4, 5, 6
# Below this share of what was held, a remainder is an error of rounding, not a position; below this much of
# the quote currency nothing is an order.
DUST = 1e-9
# A buy that spends all there is costs a little more than there is, by rounding.
_SLACK = 1 + 1e-12
_DAY_MS = 86_400_000


class Costs(NamedTuple):
    """What trading costs, as shares: 0.001 is a tenth of a per cent.

    `slippage` moves the price of market orders against the account; `volume_share` is the largest part of a
    candle's volume that one order fills, zero for no limit.
    """

    maker: float
    taker: float
    slippage: float
    volume_share: float


class Fill(NamedTuple):
    """One fill: at the candle of the index `candle`, in the market with the place `market`.

    `fee` is in the quote currency; `cut` says that the candle's volume or the account left less than ordered.
    """

    candle: int
    market: int
    side: str
    quantity: float
    price: float
    fee: float
    maker: bool
    reason: str
    cut: bool


@dataclass(slots=True)
class Position:
    """What is held of a market: `quantity` under zero is a short position.

    `entry_price` is the average; `last_buy_time` is the opening of the candle that last opened or increased
    the position, in ms; `entries` counts those of the UTC day with the number `day`.
    """

    quantity: float = 0.0
    entry_price: float = 0.0
    last_price: float = 0.0
    last_buy_time: int = 0
    entries: int = 0
    day: int = -1


@dataclass(slots=True)
class Ledger:
    """The account on the candles of one or several markets of the same times.

    `shortable` tells of each market whether it may be sold short. `version` grows with every booking.
    `funding` is what was paid (over zero) or received in all, per market. Fills are kept where they are asked
    for; a walk inside the sandbox tells orders only.
    """

    markets: list[list[Row]]
    shortable: list[bool]
    costs: Costs
    cash: float
    keeps_fills: bool = True
    positions: list[Position] = field(default_factory=list)
    funding: list[float] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    refused: int = 0
    version: int = 0
    ruined_at: int | None = None

    def __post_init__(self) -> None:
        """One empty position for each market."""
        self.positions = [Position() for _ in self.markets]
        self.funding = [0.0] * len(self.markets)

    def equity(self, index: int, column: int = _CLOSE) -> float:
        """Cash and positions at a price of the candle."""
        total = self.cash
        for rows, position in zip(self.markets, self.positions):  # noqa: B905 - one length, and the hot path
            if position.quantity:
                total += position.quantity * rows[index][column]
        return total

    def holds(self) -> bool:
        """Whether there is any position."""
        for position in self.positions:  # noqa: SIM110 - a generator costs more than what it asks
            if position.quantity:
                return True
        return False

    def free(self, index: int) -> float:
        """What may still be committed at the candle's opening: the account trades without borrowed money."""
        gross = 0.0
        for rows, position in zip(self.markets, self.positions):  # noqa: B905
            if position.quantity:
                gross += abs(position.quantity) * rows[index][_OPEN]
        return max(0.0, self.equity(index, _OPEN) - gross)

    def pay_funding(self, index: int) -> None:
        """Longs pay the candle's rate to shorts on what they held at its opening."""
        for market, position in enumerate(self.positions):
            row = self.markets[market][index]
            if position.quantity and row[_FUNDING]:
                paid = position.quantity * row[_OPEN] * row[_FUNDING]
                self.cash -= paid
                self.funding[market] += paid
                self.version += 1

    def buy(self, index: int, market: int, budget: float, reason: str) -> None:
        """Spends `budget` at the opening, or what is free of it; for markets where nothing is short."""
        price = self.markets[market][index][_OPEN] * (1 + self.costs.slippage)
        spend = min(budget, self.free(index) / (1 + self.costs.taker))
        self._enter(index, market, spend / price, price, reason=reason, cut=spend * _SLACK < budget)

    def short(self, index: int, market: int, budget: float, reason: str) -> None:
        """Sells short for `budget` at the opening, or for what is free."""
        if not self.shortable[market]:
            self.refused += 1
            return
        price = self.markets[market][index][_OPEN] * (1 - self.costs.slippage)
        spend = min(budget, self.free(index) / (1 + self.costs.taker))
        self._enter(index, market, -spend / price, price, reason=reason, cut=spend * _SLACK < budget)

    def reduce(self, index: int, market: int, quantity: float, reason: str) -> None:
        """Gives up at most `quantity` of the position at the opening, long or short."""
        position = self.positions[market]
        opening = self.markets[market][index][_OPEN]
        slip = self.costs.slippage
        price = opening * (1 - slip) if position.quantity > 0 else opening * (1 + slip)
        self._leave(index, market, quantity, price, reason=reason)

    def exit_within(self, index: int, market: int, level: float, reason: str) -> None:
        """Gives up the whole position inside the candle, at a price that the candle touched."""
        position = self.positions[market]
        slip = self.costs.slippage
        price = level * (1 - slip) if position.quantity > 0 else level * (1 + slip)
        self._leave(index, market, abs(position.quantity), price, reason=reason)

    def rest(self, index: int, market: int, quotes: list[tuple[str, float, float]], reason: str) -> None:
        """Lets the candle meet resting orders of side, price and amount in the quote currency.

        A price has to be passed, not touched; an opening beyond it fills there. Without short selling only
        what was held before the candle can be sold.
        """
        _, opening, high, low, *_ = self.markets[market][index]
        sellable = max(0.0, self.positions[market].quantity)
        for side, price, amount in quotes:
            quantity = amount / price
            if side == "buy" and (opening < price or low < price):
                self._bid(index, market, quantity, min(opening, price), reason)
            elif side == "sell" and (opening > price or high > price):
                if not self.shortable[market]:
                    quantity = min(quantity, sellable)
                    sellable -= quantity
                self._ask(index, market, quantity, max(opening, price), reason)

    def settle(self, index: int) -> None:
        """Ends the account where the candle's worst prices leave nothing of it."""
        if not self.holds():
            return
        worst = self.cash
        for rows, position in zip(self.markets, self.positions):  # noqa: B905
            worst += position.quantity * rows[index][_LOW if position.quantity > 0 else _HIGH]
        if worst > 0:
            return
        for market, position in enumerate(self.positions):
            if position.quantity:
                price = self.markets[market][index][_LOW if position.quantity > 0 else _HIGH]
                self._book(index, market, -position.quantity, price, reason="ruined", maker=False, cut=False)
        self.cash = 0.0
        self.ruined_at = index

    def _bid(self, index: int, market: int, quantity: float, price: float, reason: str) -> None:
        held = self.positions[market].quantity
        if held < 0:
            covered = min(quantity, -held)
            self._leave(index, market, covered, price, reason=reason, maker=True)
            quantity -= covered
        if quantity > 0:
            least = min(quantity, self.free(index) / (1 + self.costs.maker) / price)
            cut = least * _SLACK < quantity
            self._enter(index, market, least, price, reason=reason, cut=cut, maker=True)

    def _ask(self, index: int, market: int, quantity: float, price: float, reason: str) -> None:
        held = self.positions[market].quantity
        if held > 0:
            given = min(quantity, held)
            self._leave(index, market, given, price, reason=reason, maker=True)
            quantity -= given
        if quantity > 0 and self.shortable[market]:
            least = min(quantity, self.free(index) / (1 + self.costs.maker) / price)
            cut = least * _SLACK < quantity
            self._enter(index, market, -least, price, reason=reason, cut=cut, maker=True)

    def _enter(
        self,
        index: int,
        market: int,
        quantity: float,
        price: float,
        *,
        reason: str,
        cut: bool,
        maker: bool = False,
    ) -> None:
        most = self._most(index, market)
        if abs(quantity) > most:
            quantity, cut = (most if quantity > 0 else -most), True
        # What rounding leaves of an empty account is not an order.
        if abs(quantity) * price <= DUST:
            self.refused += 1
            return
        position, time = self.positions[market], self.markets[market][index][0]
        day = time // _DAY_MS
        position.entries = position.entries + 1 if day == position.day else 1
        position.day, position.last_buy_time = day, time
        self._book(index, market, quantity, price, reason=reason, maker=maker, cut=cut)

    def _leave(
        self, index: int, market: int, quantity: float, price: float, *, reason: str, maker: bool = False
    ) -> None:
        held = self.positions[market].quantity
        wanted = min(quantity, abs(held))
        most = self._most(index, market)
        given = min(wanted, most)
        if given <= 0:
            self.refused += 1
            return
        signed = -given if held > 0 else given
        self._book(index, market, signed, price, reason=reason, maker=maker, cut=given < wanted)

    def _most(self, index: int, market: int) -> float:
        """The largest quantity that the candle's volume fills; a candle without volume fills nothing."""
        share = self.costs.volume_share
        return share * self.markets[market][index][_VOLUME] if share else float("inf")

    def _book(
        self, index: int, market: int, quantity: float, price: float, *, reason: str, maker: bool, cut: bool
    ) -> None:
        """Enters a fill of the signed quantity."""
        position = self.positions[market]
        held = position.quantity
        after = held + quantity
        if abs(after) <= abs(held) * DUST:
            after = 0.0
        if held * quantity >= 0:
            position.entry_price = (held * position.entry_price + quantity * price) / after
        elif after == 0:
            position.entry_price = 0.0
        position.quantity, position.last_price = after, price
        fee = abs(quantity) * price * (self.costs.maker if maker else self.costs.taker)
        self.cash -= quantity * price + fee
        self.version += 1
        if not self.keeps_fills:
            return
        side = "buy" if quantity > 0 else "sell"
        self.fills.append(Fill(index, market, side, abs(quantity), price, fee, maker, reason, cut))
