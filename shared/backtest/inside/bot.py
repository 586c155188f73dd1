"""A bot's own modules, as the driver calls them: its strategy, its parameters and its limits."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property, lru_cache
from types import SimpleNamespace
from typing import Any

from shared.backtest.inside.ledger import Ledger, Position

# The cells of a candle as they came, so that the bot sees the decimals that were written.
Cells = Sequence[Any]
START_CASH = 10_000.0
_ACTIONS = ("buy", "sell", "hold")
_MAX_QUOTES = 100


class FormError(Exception):
    """The bot's files do not have the form that a backtest can run; the message says what is missing."""

    kind = "form"


class MissingCandlesError(Exception):
    """The bot trades a market of which there are no candles."""

    kind = "candles"


class RefusedConfigError(Exception):
    """The bot's own Parameters refuse the configuration; the message is theirs."""

    kind = "config"


class Bot:
    """The bot in `folder` with this configuration, imported anew where it is not imported yet."""

    def __init__(self, folder: str, config: Mapping[str, Any], symbols: Sequence[str]) -> None:
        self.strategy = _module("strategy")
        self.parameters = _parameters(folder, config)
        self.several = hasattr(self.strategy, "decide_all")
        if not self.several and not hasattr(self.strategy, "decide"):
            raise FormError("strategy.py has neither decide nor decide_all")
        for name in ("Candle", "Holding"):
            if not hasattr(self.strategy, name):
                raise FormError(f"strategy.py has no {name}")
        needed = getattr(self.strategy, "candles_needed", None)
        if needed is None:
            raise FormError("strategy.py has no candles_needed")
        self.needed = max(1, int(needed(self.parameters)))
        self.symbols = self._symbols(symbols)
        self._funded = "funding_rate" in _names(self.strategy.Candle)
        self._moment = (-1, -1)
        self._accounts: dict[int, Any] = {}
        self._positions: dict[int, tuple[int, dict[str, Any]]] = {}

    def _symbols(self, given: Sequence[str]) -> tuple[str, ...]:
        if self.several:
            return tuple(str(symbol) for symbol in self.strategy.symbols(self.parameters))
        return (str(getattr(self.parameters, "symbol", "") or (given[0] if given else "market")),)

    @cached_property
    def _risk(self) -> Any:
        """The bot's limits; probes of decisions alone do without them."""
        return _module("risk", needed=False)

    @cached_property
    def _exit_reason(self) -> Any:
        return getattr(self._risk, "exit_reason", None)

    @cached_property
    def _exit_reasons(self) -> Any:
        return getattr(self._risk, "exit_reasons", None) if self.several else None

    @cached_property
    def _buy_budget(self) -> Any:
        return getattr(self._risk, "buy_budget", None)

    @property
    def cash(self) -> float:
        """What the account begins with, in the quote currency."""
        return float(getattr(self.parameters, "paper_balance", None) or START_CASH)

    def candles(self, rows: Sequence[Cells]) -> list[Any]:
        """The rows as the bot's own candles."""
        kind = self.strategy.Candle
        width = 7 if self._funded else 6
        return [kind(row[0], *map(Decimal, row[1:width])) for row in rows]

    def holding(self, ledger: Ledger, market: int) -> Any:
        """What is held of the market, as the strategy sees it."""
        position = ledger.positions[market]
        return self.held(position.quantity, position.entry_price, position.last_price, position.last_buy_time)

    def held(self, quantity: float, entry: float, last: float, time: int) -> Any:
        """A holding of these numbers."""
        return self.strategy.Holding(_decimal(quantity), _decimal(entry), _decimal(last), time)

    def decide(self, windows: list[list[Any]], holdings: list[Any]) -> list[Any]:
        """The signals of the markets, in their order, checked."""
        if not self.several:
            return [checked(self.strategy.decide(windows[0], self.parameters, holdings[0]))]
        markets = dict(zip(self.symbols, windows, strict=True))
        held = dict(zip(self.symbols, holdings, strict=True))
        answer = self.strategy.decide_all(markets, self.parameters, held)
        return [checked(answer[symbol]) if symbol in answer else None for symbol in self.symbols]

    def budget(self, ledger: Ledger, market: int, index: int, price: float, wanted: Decimal | None) -> float:
        """How much the bot's limits let it commit now, in the quote currency."""
        if self._buy_budget is None:
            return ledger.free(index) if wanted is None else float(wanted)
        account, time = self._account_at(ledger, market, index), ledger.markets[market][index][0]
        allowed = self._buy_budget(account, self.parameters, _decimal(price), wanted, time)
        return max(0.0, float(allowed))

    @cached_property
    def linked(self) -> bool:
        """Whether the bot's markets are legs of one position, whose limits look at all of them together."""
        return self.several and bool(getattr(self.strategy, "LINKED", False))

    def exits(self, ledger: Ledger, index: int) -> dict[int, str]:
        """Why the bot's limits end positions at the candle's opening, by market."""
        prices = [rows[index][1] for rows in ledger.markets]
        if self._exit_reasons is None:
            found = {}
            for place, price in enumerate(prices):
                if ledger.positions[place].quantity:
                    reason = self.exit_reason(ledger, place, index, price)
                    if reason is not None:
                        found[place] = reason
            return found
        accounts = {
            symbol: self._account_at(ledger, place, index) for place, symbol in enumerate(self.symbols)
        }
        at = dict(zip(self.symbols, map(_decimal, prices), strict=True))
        reasons = self._exit_reasons(accounts, self.parameters, at)
        return {self.symbols.index(symbol): str(reason)[:80] for symbol, reason in reasons.items()}

    def exit_reason(self, ledger: Ledger, market: int, index: int, price: float) -> str | None:
        """Why the bot's limits end the position at this price."""
        if self._exit_reason is None:
            return None
        account = self._account_at(ledger, market, index)
        reason = self._exit_reason(account, self.parameters, _decimal(price))
        return None if reason is None else str(reason)[:80]

    def _account_at(self, ledger: Ledger, market: int, index: int) -> Any:
        """The bot's own account with what the ledger holds of the market; kept until a booking."""
        # What the other markets are worth changes with each candle.
        moment = (ledger.version, index if self.several else -1)
        if moment != self._moment:
            self._moment, self._accounts = moment, {}
        account = self._accounts.get(market)
        if account is None:
            known = self._known(ledger, market)
            if "others" in known:
                known["others"] = _decimal(_others_worth(ledger, market, index))
            account = self._accounts[market] = self._risk.Account(**known)
        return account

    def _known(self, ledger: Ledger, market: int) -> dict[str, Any]:
        """What an account takes of the market's position; kept until a booking."""
        version, known = self._positions.get(market, (-1, {}))
        if version != ledger.version:
            known = self._account_values(ledger, market)
            self._positions[market] = (ledger.version, known)
        return known

    def _account_values(self, ledger: Ledger, market: int) -> dict[str, Any]:
        position = ledger.positions[market]
        # Bots keep a short's worth at its opening aside; the ledger has its proceeds in the cash.
        collateral = 0.0
        for one in ledger.positions:
            if one.quantity < 0:
                collateral -= one.quantity * one.entry_price
        values = {
            "cash": _decimal(ledger.cash - 2 * collateral),
            "quantity": _decimal(position.quantity),
            "entry_price": _decimal(position.entry_price),
            "last_price": _decimal(position.last_price),
            "last_buy_time": position.last_buy_time,
            "trades_today": position.entries,
            "day": _day(position.day),
            "others": Decimal(0),
        }
        return {name: values[name] for name in self._account_fields if name in values}

    @cached_property
    def _account_fields(self) -> tuple[str, ...]:
        return _names(self._risk.Account)


def forget_modules(folder: str) -> None:
    """Drops what was imported from the folder, so that the next import runs it anew."""
    inside = folder + os.sep
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(inside):
            del sys.modules[name]


def checked(signal: Any) -> Any:
    """The signal, when it is one.

    Raises:
        FormError: says what is wrong with it.
    """
    action = getattr(signal, "action", None)
    if action not in _ACTIONS:
        raise FormError(f"a decision's action must be buy, sell or hold, not {str(action)[:40]!r}")
    amount = getattr(signal, "amount", None)
    if amount is not None and not 0 <= float(amount) < float("inf"):
        raise FormError(f"a decision's amount must be a number from zero, not {str(amount)[:40]}")
    share = getattr(signal, "share", 1)
    # Most signals give up all: to ask that first is cheap.
    if share != 1 and not 0 <= float(share) <= 1:
        raise FormError(f"a decision's share must lie between 0 and 1, not {str(share)[:40]}")
    if len(getattr(signal, "quotes", ())) > _MAX_QUOTES:
        raise FormError(f"a decision has at most {_MAX_QUOTES} quotes")
    return signal


def _module(name: str, *, needed: bool = True) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        if needed:
            raise FormError(f"the bot has no {name}.py") from error
        return None


def _parameters(folder: str, config: Mapping[str, Any]) -> Any:
    """The bot's own Parameters with this configuration, or the schema's defaults under it."""
    module = _module("parameters", needed=False)
    kind = getattr(module, "Parameters", None)
    if kind is None:
        return SimpleNamespace(**{**_schema_defaults(folder), **config})
    try:
        return kind.from_config(config) if hasattr(kind, "from_config") else kind(**config)
    except Exception as error:
        raise RefusedConfigError(str(error)[:300]) from error


def _schema_defaults(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, "bot-schema.json"), encoding="utf-8") as file:
            properties = json.load(file)["properties"]
        return {name: field["default"] for name, field in properties.items() if "default" in field}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def _others_worth(ledger: Ledger, market: int, index: int) -> float:
    """What the positions in the other markets would bring at the candle's opening."""
    total = 0.0
    for place, one in enumerate(ledger.positions):
        if one.quantity and place != market:
            total += _worth(one, ledger.markets[place][index][1])
    return total


def _worth(position: Position, price: float) -> float:
    """What closing the position brings, a short's collateral included."""
    if position.quantity >= 0:
        return position.quantity * price
    return position.quantity * (price - 2 * position.entry_price)


@lru_cache(maxsize=1024)
def _decimal(value: float) -> Decimal:
    """The number as the bot has it; the same ones are asked for again and again within a candle."""
    return Decimal(repr(value)) if value else Decimal(0)


@cache
def _day(number: int) -> str:
    """The ISO date of a count of days since 1970, empty for none."""
    if number < 0:
        return ""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()
