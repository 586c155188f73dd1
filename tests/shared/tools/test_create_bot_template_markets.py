"""Generated bots of several markets and of quotes at an exchange: legs, shorts, funding, resting orders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.tools.templates.catalog import BotType
from tests.shared.tools.test_create_bot_template_exchange import LIVE, Stage, metrics

# Plays ccxt's part as an exchange with two wallets that remembers orders and positions between runs.
FAKE_CCXT = """
import json, os
exchanges = ["binance"]
class BaseError(Exception): pass
class NetworkError(BaseError): pass
class ExchangeError(BaseError): pass
class BadRequest(ExchangeError): pass
class InsufficientFunds(ExchangeError): pass
class InvalidOrder(ExchangeError): pass
class OrderNotFound(InvalidOrder): pass
NOW = 1704067200000 + 1000 * 28800000 + 1800000
SIZE = 0.01
class binance:
    has = {"fetchFundingRateHistory": True}
    def __init__(self, options):
        self.scene = json.load(open(os.environ["SCENE"]))
        self.now = NOW + self.scene.get("later", 0)
        self.path = os.environ["SCENE"] + ".book"
        empty = {"orders": {}, "positions": {}, "coins": {}}
        self.book = json.load(open(self.path)) if os.path.exists(self.path) else empty
    def keep(self): json.dump(self.book, open(self.path, "w"))
    def note(self, call, **data):
        with open(os.environ["SCENE"] + ".log", "a") as log:
            log.write(json.dumps({"call": call, **data}) + "\\n")
    def milliseconds(self): return self.now
    def price(self, symbol): return self.scene.get("price", {}).get(symbol, 100)
    def fetch_ohlcv(self, symbol, timeframe, since, limit):
        step = {"1h": 3600000, "8h": 28800000}[timeframe]
        times = range(-(-since // step) * step, self.now + 1, step)[:limit]
        rows = [[t, 100, 100, 100, 100, 5] for t in times]
        if rows and rows[-1][0] + step > self.now: rows[-1][4] = self.price(symbol)
        return rows
    def fetch_funding_rate_history(self, symbol, since, limit):
        times = range(-(-since // 28800000) * 28800000, self.now + 1, 28800000)[:limit]
        return [{"timestamp": t + 4, "fundingRate": self.scene.get("rate", 0.001)} for t in times]
    def load_markets(self):
        limits = {"cost": {"min": 5}}
        spot = {"spot": True, "base": "BTC", "quote": "USDT", "limits": limits}
        swap = {"swap": True, "linear": True, "settle": "USDT", "contractSize": SIZE, "limits": limits}
        return {"BTC/USDT": spot, "BTC/USDT:USDT": swap}
    def set_leverage(self, leverage, symbol): self.note("leverage", leverage=leverage, symbol=symbol)
    def fetch_balance(self, params=None):
        coins = self.book["coins"].get("BTC", 0.0)
        self.note("balance", kind=(params or {}).get("type"))
        return {"USDT": {"free": self.scene.get("cash", 10000.0)}, "BTC": {"free": coins, "total": coins}}
    def fetch_positions(self, symbols):
        sizes = [(s, self.book["positions"].get(s, 0.0)) for s in symbols]
        side = {True: "long", False: "short"}
        return [{"symbol": s, "contracts": abs(q), "side": side[q > 0]} for s, q in sizes]
    def amount_to_precision(self, symbol, amount): return f"{amount:.4f}"
    def price_to_precision(self, symbol, price): return f"{price:.2f}"
    def create_order(self, symbol, kind, side, amount, price, params):
        self.note("order", symbol=symbol, side=side, kind=kind, amount=amount, price=price, **params)
        if symbol in self.scene.get("refuse", []) and not params.get("reduceOnly"):
            raise InsufficientFunds("too low")
        if symbol in self.scene.get("lost", []): raise NetworkError("timed out")
        name, sign = params["clientOrderId"], 1 if side == "buy" else -1
        if kind == "limit":
            self.book["orders"][name] = {"filled": 0.0, "price": price, "status": "open"}
            self.keep()
            return {"id": name, "filled": 0.0, "status": "open"}
        where, key = ("positions", symbol) if ":" in symbol else ("coins", "BTC")
        self.book[where][key] = self.book[where].get(key, 0.0) + sign * amount
        self.keep()
        return {"id": name, "filled": amount, "average": self.price(symbol)}
    def cancel_order(self, name, symbol, params):
        self.note("cancel", id=name)
        if self.book["orders"].get(name, {}).get("status") != "open": raise OrderNotFound(name)
        self.book["orders"][name]["status"] = "canceled"
        self.keep()
    def fetch_order(self, name, symbol, params=None):
        order = self.book["orders"].get(name)
        if order is None: raise OrderNotFound(name)
        if self.scene.get("filled"):
            order["filled"] = self.scene["filled"]
            self.book["coins"]["BTC"] = self.scene["filled"]
            self.keep()
        return {**order, "average": order["price"]}
"""
CANDLE_MS = 28_800_000


class Markets(Stage):
    """A stage whose exchange has a spot market, a perpetual and resting orders."""

    def __init__(self, root: Path, strategy: str, bot_type: BotType = "scheduled") -> None:
        super().__init__(root)
        (root / "ccxt.py").write_text(FAKE_CCXT)
        self.bot_type = bot_type
        self.build(strategy, bot_type)

    def orders(self) -> list[tuple[str, str, float, bool]]:
        """Symbol, side, amount in coins and whether it only reduces, of each order."""
        return [
            (
                call["symbol"],
                call["side"],
                round(call["amount"] * (0.01 if ":" in call["symbol"] else 1), 6),
                call.get("reduceOnly", False),
            )
            for call in self.calls("order")
        ]

    def held(self) -> tuple[float, float]:
        """Coins and contracts at the exchange."""
        book = json.loads(Path(f"{self.scene}.book").read_text())
        return book["coins"].get("BTC", 0.0), book["positions"].get("BTC/USDT:USDT", 0.0)


@pytest.fixture
def carry(tmp_path: Path) -> Markets:
    return Markets(tmp_path, "funding_carry")


@pytest.fixture
def maker(tmp_path: Path) -> Markets:
    return Markets(tmp_path, "market_making")


OPENED = [("BTC/USDT", "buy", 20.0, False), ("BTC/USDT:USDT", "sell", 20.0, False)]


def test_live_opens_both_legs_without_leverage_and_once(carry: Markets) -> None:
    assert carry.run(LIVE).exit_code == 0
    assert carry.orders() == OPENED
    assert carry.calls("leverage")[0]["leverage"] == 1
    assert {call["kind"] for call in carry.calls("balance")} == {"spot", "swap"}
    assert carry.run(LIVE).exit_code == 0
    assert carry.orders() == OPENED
    assert carry.held() == (20.0, -2000.0)


def test_live_closes_both_legs_when_funding_turns_and_covers_by_reducing_only(carry: Markets) -> None:
    carry.run(LIVE)
    carry.set(rate=-0.001, later=CANDLE_MS)
    assert carry.run(LIVE).exit_code == 0
    assert carry.orders()[2:] == [("BTC/USDT", "sell", 20.0, False), ("BTC/USDT:USDT", "buy", 20.0, True)]
    assert carry.held() == (0.0, 0.0)


def test_a_refused_second_leg_undoes_the_first(carry: Markets) -> None:
    carry.set(refuse=["BTC/USDT:USDT"])
    run = carry.run(LIVE)
    assert run.exit_code == 0
    assert carry.orders() == [*OPENED, ("BTC/USDT", "sell", 20.0, False)]
    assert "closed again" in run.errors
    assert carry.run(LIVE).exit_code == 0
    assert len(carry.orders()) == 3


def test_a_refused_first_leg_leaves_the_second_alone(carry: Markets) -> None:
    carry.set(refuse=["BTC/USDT"])
    assert carry.run(LIVE).exit_code == 0
    assert carry.orders() == OPENED[:1]


def test_a_leg_whose_order_was_lost_is_settled_and_the_other_closed(carry: Markets) -> None:
    carry.set(lost=["BTC/USDT:USDT"])
    assert carry.run(LIVE).exit_code == 1
    carry.set()
    run = carry.run(LIVE)
    assert run.exit_code == 0
    assert carry.orders() == [*OPENED, ("BTC/USDT", "sell", 20.0, False)]
    assert [one["reason"] for one in metrics(run, "trade")] == ["leg missing"]


def test_a_short_that_the_exchange_closed_takes_the_other_leg_along(carry: Markets) -> None:
    carry.run(LIVE)
    book = Path(f"{carry.scene}.book")
    book.write_text(json.dumps({**json.loads(book.read_text()), "positions": {}}))
    assert carry.run(LIVE).exit_code == 0
    assert carry.orders()[2:] == [("BTC/USDT", "sell", 20.0, False)]


def test_on_paper_funding_is_earned_and_no_order_leaves(carry: Markets) -> None:
    first = carry.run({})
    assert [one["side"] for one in metrics(first, "trade")] == ["buy", "sell"]
    carry.set(later=CANDLE_MS)
    second = carry.run({})
    (funding,) = metrics(second, "funding")
    assert (funding["symbol"], funding["earned"]) == ("BTC/USDT:USDT", 2.0)
    assert second.result is not None
    assert second.result["data"]["equity"] == 10002.0
    assert metrics(carry.run({}), "funding") == []
    assert carry.calls("order") == []


def test_no_live_trading_of_several_markets_without_state(carry: Markets) -> None:
    assert carry.run(LIVE, STATE_DIR="/proc/none").exit_code == 1
    assert carry.calls("order") == []


def test_quotes_rest_post_only_and_are_replaced_each_candle(maker: Markets) -> None:
    assert maker.run(LIVE).exit_code == 0
    (quote,) = maker.calls("order")
    assert (quote["side"], quote["kind"], quote["price"], quote["postOnly"]) == ("buy", "limit", 99.9, True)
    maker.run(LIVE)
    assert maker.calls("cancel") == []
    maker.set(filled=0.5, later=3_600_000)
    run = maker.run(LIVE)
    assert [call["id"] for call in maker.calls("cancel")] == [quote["clientOrderId"]]
    assert [(one["quantity"], one["price"]) for one in metrics(run, "trade")] == [(0.5, 99.9)]
    assert [call["side"] for call in maker.calls("order")] == ["buy", "buy", "sell"]


def test_a_stop_cancels_the_quotes_before_it_sells(maker: Markets) -> None:
    maker.run(LIVE)
    maker.set(filled=0.5, price={"BTC/USDT": 90})
    run = maker.run(LIVE)
    assert len(maker.calls("cancel")) == 1
    assert [(call["side"], call["kind"]) for call in maker.calls("order")] == [
        ("buy", "limit"),
        ("sell", "market"),
    ]
    assert metrics(run, "trade")[-1]["reason"] == "stop loss"


def test_a_quote_the_exchange_refuses_is_not_on_record(maker: Markets) -> None:
    maker.set(refuse=["BTC/USDT"])
    run = maker.run(LIVE)
    assert run.exit_code == 0
    assert "refused the buy quote" in run.errors
    assert maker.states()[0]["resting"] == []


@pytest.mark.parametrize(
    ("strategy", "config", "message"),
    [
        ("pairs_arbitrage", {"symbol": "ETH/USDT"}, "symbol must match"),
        ("funding_carry", {"timeframe": "1d"}, "at most 8h"),
        ("funding_carry", {"symbol": "BTC/USDT:USDT"}, "symbol must match"),
        ("momentum_rotation", {"top_count": 5}, "top_count"),
        ("momentum_rotation", {"other_symbols": "ETH/USDT,ETH/USDT"}, "twice"),
        ("market_making", {"amount": 501}, "at most max_inventory"),
        ("funding_carry", {"data_source": "tests/some.csv"}, "cannot be read"),
    ],
)
def test_what_cannot_work_ends_with_a_clear_error(
    tmp_path: Path, strategy: str, config: dict[str, Any], message: str
) -> None:
    stage = Markets(tmp_path, strategy)
    run = stage.run(config)
    assert run.exit_code == 1
    assert run.result is not None
    assert message in run.result["message"]
