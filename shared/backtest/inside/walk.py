"""Walks a bot over candles: what it decides on one is traded at the opening of the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from shared.backtest.inside.bot import Bot
from shared.backtest.inside.ledger import DUST, Ledger

# An order as it leaves the sandbox: candle, market, what to do, how much, and why.
Order = tuple[int, int, str, Any, str]
_HALVINGS = 60
_OPEN, _HIGH, _LOW = 1, 2, 3


class Walk:
    """One pass; `emit` gets every order before it is booked."""

    def __init__(
        self,
        bot: Bot,
        ledger: Ledger,
        candles: list[list[Any]],
        emit: Callable[[int, int, str, Any, str], None],
    ) -> None:
        self.bot = bot
        self.ledger = ledger
        self.candles = candles
        self.emit = emit
        self.at = 0

    def run(self) -> None:
        """From the first candle to the last, or to the account's ruin."""
        bot, ledger, needed = self.bot, self.ledger, self.bot.needed
        places = range(len(self.candles))
        decided: list[Any] | None = None
        holdings, version = [bot.holding(ledger, place) for place in places], ledger.version
        for index in range(len(self.candles[0])):
            self.at = index
            if decided is not None:
                self.trade(index, decided)
                if ledger.ruined_at is not None:
                    return
            if version != ledger.version:
                holdings, version = [bot.holding(ledger, place) for place in places], ledger.version
            start = max(0, index + 1 - needed)
            # A slice is a list of its own: nothing in it leads to what comes later.
            decided = bot.decide([series[start : index + 1] for series in self.candles], holdings)

    def trade(self, index: int, signals: Sequence[Any]) -> None:
        """The whole of a candle for what was decided before it."""
        ledger = self.ledger
        if not ledger.holds() and _waits(signals):
            return
        ledger.pay_funding(index)
        free = self._gap_exits(index, len(signals))
        if self.bot.linked and not all(free):
            free = [False] * len(signals)
        held = [position.quantity for position in ledger.positions]
        acting = [
            (place, signal)
            for place, signal in enumerate(signals)
            if free[place] and signal is not None and signal.action != "hold"
        ]
        # What frees money goes first.
        for place, signal in acting:
            self._reduce(index, place, signal, held[place])
        if self.bot.linked:
            self._enter_together(index, acting, held)
        else:
            for place, signal in acting:
                self._enter(index, place, signal, held[place])
        for place, signal in enumerate(signals):
            self._within(index, place, signal)
        ledger.settle(index)

    def _gap_exits(self, index: int, count: int) -> list[bool]:
        """Which markets' signals may act: stop and target come first, at the opening."""
        free = [True] * count
        if self.ledger.holds():
            for place, reason in self.bot.exits(self.ledger, index).items():
                free[place] = False
                self._send((index, place, "exit", self.ledger.markets[place][index][_OPEN], reason))
        return free

    def _reduce(self, index: int, place: int, signal: Any, held: float) -> None:
        if (signal.action == "sell" and held > 0) or (signal.action == "buy" and held < 0):
            self._send((index, place, "reduce", abs(held) * float(signal.share), str(signal.reason)[:80]))

    def _enter(self, index: int, place: int, signal: Any, held: float) -> None:
        if signal.action == "buy" and held >= 0:
            action, wanted = "buy", signal.amount
        elif signal.action == "sell" and held <= 0 and signal.amount is not None:
            action, wanted = "short", signal.amount
        else:
            return
        row = self.ledger.markets[place][index]
        budget = self.bot.budget(self.ledger, place, index, row[_OPEN], wanted)
        if budget > DUST:
            self._send((index, place, action, budget, str(signal.reason)[:80]))

    def _enter_together(self, index: int, acting: list[tuple[int, Any]], held: list[float]) -> None:
        """Opens all legs or none, each by the same share of its amount."""
        legs = [(place, signal) for place, signal in acting if signal.amount]
        if len(legs) < len(held) or any(held):
            return
        budgets = {
            place: self.bot.budget(
                self.ledger, place, index, self.ledger.markets[place][index][_OPEN], signal.amount
            )
            for place, signal in legs
        }
        total = sum(float(signal.amount) for _, signal in legs)
        share = min(1.0, self.ledger.free(index) / (1 + self.ledger.costs.taker) / total)
        share = min(share, *(budgets[place] / float(signal.amount) for place, signal in legs))
        for place, signal in legs:
            amount = float(signal.amount)
            if share <= 0:
                return
            action = "buy" if signal.action == "buy" else "short"
            self._send((index, place, action, amount * share, str(signal.reason)[:80]))
            # What the volume left off one leg is left off the other too.
            worth = abs(self.ledger.positions[place].quantity) * self.ledger.markets[place][index][_OPEN]
            share = min(share, worth / amount)

    def _within(self, index: int, place: int, signal: Any) -> None:
        """Resting orders, then the stop at the candle's worst, then the target at its best."""
        before = self.ledger.positions[place].quantity
        quotes = getattr(signal, "quotes", ()) if signal is not None else ()
        if quotes:
            self._rest(index, place, quotes)
        held = self.ledger.positions[place].quantity
        # Where legs are judged together, their prices at one moment inside the candle are not known.
        if not held or self.bot.linked:
            return
        row = self.ledger.markets[place][index]
        worst, best = (row[_LOW], row[_HIGH]) if held > 0 else (row[_HIGH], row[_LOW])
        if self._exit_towards(index, place, row[_OPEN], worst):
            return
        # Whether the best came before or after a fill of this candle is not known: it is not taken.
        if held == before:
            self._exit_towards(index, place, row[_OPEN], best)

    def _rest(self, index: int, place: int, quotes: Sequence[Any]) -> None:
        resting = []
        for quote in quotes:
            price, amount = float(quote.price), float(quote.amount)
            if quote.side == "buy":
                opening = self.ledger.markets[place][index][_OPEN]
                wanted = Decimal(quote.amount)
                amount = min(amount, self.bot.budget(self.ledger, place, index, opening, wanted))
            if amount > 0 and price > 0:
                resting.append([str(quote.side), price, amount])
        self._send((index, place, "rest", resting, "quote"))

    def _exit_towards(self, index: int, place: int, opening: float, extreme: float) -> bool:
        """Leaves at the first price from the opening to the extreme at which the bot's limits say so."""
        reason = self.bot.exit_reason(self.ledger, place, index, extreme)
        if reason is None:
            return False
        level = self._level(index, place, opening, extreme)
        self._send((index, place, "exit", level, reason))
        return True

    def _level(self, index: int, place: int, opening: float, extreme: float) -> float:
        """Where the limit lies: the parameters' own level where it is one, else found by halving."""

        def ends(price: float) -> bool:
            return self.bot.exit_reason(self.ledger, place, index, price) is not None

        if ends(opening):
            return opening
        for level in self._named_levels(place):
            nearer = level + (opening - level) * 1e-9
            if min(opening, extreme) <= level <= max(opening, extreme) and not ends(nearer) and ends(level):
                return level
        outside, inside = opening, extreme
        for _ in range(_HALVINGS):
            middle = (outside + inside) / 2
            if middle in (outside, inside):
                break
            outside, inside = (outside, middle) if ends(middle) else (middle, inside)
        return inside

    def _named_levels(self, place: int) -> list[float]:
        position = self.ledger.positions[place]
        side = 1 if position.quantity > 0 else -1
        levels = []
        for name, sign in (("stop_loss_pct", -1), ("take_profit_pct", 1)):
            share = getattr(self.bot.parameters, name, None)
            if share is not None:
                levels.append(position.entry_price * (1 + sign * side * float(share) / 100))
        return levels

    def _send(self, order: Order) -> None:
        self.emit(*order)
        book(self.ledger, order)


def _waits(signals: Sequence[Any]) -> bool:
    """Whether nothing is to be done."""
    for signal in signals:
        if signal is not None and (signal.action != "hold" or getattr(signal, "quotes", ())):
            return False
    return True


def book(ledger: Ledger, order: Order) -> None:
    """Books an order; the same inside the sandbox and outside."""
    index, place, action, number, reason = order
    if action == "buy":
        ledger.buy(index, place, number, reason)
    elif action == "short":
        ledger.short(index, place, number, reason)
    elif action == "reduce":
        ledger.reduce(index, place, number, reason)
    elif action == "exit":
        ledger.exit_within(index, place, number, reason)
    else:
        ledger.rest(index, place, number, reason)
