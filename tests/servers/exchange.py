"""Exchanges for tests: real HTTPS servers on the exchanges' own host names that speak their public REST.

The forms of the answers are those that Binance (`/api/v3/exchangeInfo`, `/api/v3/klines`) and Kraken
(`/0/public/AssetPairs`, `/0/public/OHLC`) document; the prices are made up. ccxt's own client talks to them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.sites import Handler, Reply, Request, Site, Sites

HOUR_MS = 3_600_000
KRAKEN_LIMIT = 720
_KRAKEN_PAIRS = {"XXBTZUSD": ("XBT/USD", "XXBT", "ZUSD"), "XETHZUSD": ("ETH/USD", "XETH", "ZUSD")}

Answer = Callable[[str, dict[str, str]], Reply | None]


def price_at(moment: int, step: int, symbol: str = "") -> tuple[float, float, float, float, float]:
    """Open, high, low, close and volume of the candle that opens at `moment`: waves on a slow rise."""

    def close(index: int) -> float:
        phase = len(symbol) * 0.7
        return 30_000 + index % 100_000 * 0.5 + 900 * math.sin(index / 17 + phase) + 150 * math.sin(index / 3)

    index = moment // step
    opened, closed = close(index - 1), close(index)
    return opened, max(opened, closed) + 20, min(opened, closed) - 20, closed, 10 + index % 7


def answer(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(json.dumps(value), status=status, headers={"Content-Type": "application/json", **headers})


@dataclass(slots=True)
class ExchangeServer:
    """One exchange: its clock, its first candle, what it was asked when, answers put before its own.

    `instead` is asked first with path and query; None lets the exchange answer.
    """

    now: int
    site: Site
    listed_since: int = 0
    instead: Answer = lambda path, query: None
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)

    def paths(self) -> list[str]:
        """The last part of each path asked for, in order."""
        return [path.rsplit("/", 1)[-1] for path, _ in self.asked]

    def queries(self, name: str) -> list[dict[str, str]]:
        """The queries of the requests whose path ends in `name`."""
        return [query for path, query in self.asked if path.endswith(name)]


async def binance(
    sites: Sites, *, now: int, symbols: tuple[str, ...] = ("BTC", "ETH", "SOL")
) -> ExchangeServer:
    """Binance on api.binance.com with markets against USDT, and BTC against USDC."""
    pairs = [*((base, "USDT") for base in symbols), ("BTC", "USDC")]
    server = ExchangeServer(now=now, site=await sites.add("api.binance.com"))

    def reply(path: str, query: dict[str, str]) -> Reply:
        if path == "/api/v3/exchangeInfo":
            return answer(
                {"timezone": "UTC", "serverTime": server.now, "symbols": [_binance_market(*p) for p in pairs]}
            )
        if path == "/api/v3/klines":
            return answer(_binance_klines(server, query))
        return answer({"code": -1, "msg": "no such path"}, status=404)

    _serve(server, reply)
    return server


async def kraken(sites: Sites, *, now: int) -> ExchangeServer:
    """Kraken on api.kraken.com, which gives the newest 720 candles however far back it is asked."""
    server = ExchangeServer(now=now, site=await sites.add("api.kraken.com"))

    def reply(path: str, query: dict[str, str]) -> Reply:
        if path == "/0/public/AssetPairs":
            pairs = {name: _kraken_pair(name, *parts) for name, parts in _KRAKEN_PAIRS.items()}
            return answer({"error": [], "result": pairs})
        if path == "/0/public/OHLC":
            return answer({"error": [], "result": _kraken_candles(server, query)})
        return answer({"error": ["EGeneral:Unknown method"]})

    _serve(server, reply)
    return server


def _serve(server: ExchangeServer, reply: Callable[[str, dict[str, str]], Reply]) -> None:
    def handle(request: Request) -> Reply:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        server.asked.append((parts.path, query))
        server.moments.append(time.monotonic())
        return server.instead(parts.path, query) or reply(parts.path, query)

    server.site.replies = _EveryPath(handle)


class _EveryPath(dict[str, Reply | Handler]):
    """The replies of a site where one function answers for every path."""

    def __init__(self, handler: Handler) -> None:
        super().__init__()
        self._handler = handler

    def get(self, key: str, default: Any = None) -> Any:
        return self._handler


def _binance_market(base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}{quote}",
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        ],
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
    }


def _binance_klines(server: ExchangeServer, query: dict[str, str]) -> list[list[Any]]:
    step = _step(query["interval"])
    since = max(int(query["startTime"]), server.listed_since)
    moments = range(-(-since // step) * step, server.now + 1, step)[: int(query["limit"])]
    return [_kline(moment, step, query["symbol"]) for moment in moments]


def _kline(moment: int, step: int, symbol: str) -> list[Any]:
    *prices, volume = price_at(moment, step, symbol)
    texts = [f"{price:.8f}" for price in prices]
    return [moment, *texts, f"{volume:.8f}", moment + step - 1, "0.0", 12, "0.0", "0.0", "0"]


def _kraken_pair(name: str, wsname: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "altname": wsname.replace("/", ""),
        "wsname": wsname,
        "aclass_base": "currency",
        "base": base,
        "aclass_quote": "currency",
        "quote": quote,
        "lot": "unit",
        "pair_decimals": 1,
        "cost_decimals": 5,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "ordermin": "0.0001",
        "costmin": "0.5",
        "tick_size": "0.1",
        "status": "online",
    }


def _kraken_candles(server: ExchangeServer, query: dict[str, str]) -> dict[str, Any]:
    step = int(query["interval"]) * 60_000
    newest = server.now // step * step
    first = max(int(query.get("since", 0)) * 1000 + 1, newest - (KRAKEN_LIMIT - 1) * step)
    moments = range(-(-first // step) * step, newest + 1, step)
    rows = []
    for moment in moments:
        *prices, volume = price_at(moment, step, query["pair"])
        texts = [f"{price:.1f}" for price in prices]
        rows.append([moment // 1000, *texts, texts[3], f"{volume:.8f}", 12])
    return {query["pair"]: rows, "last": (newest - step) // 1000}


def _step(interval: str) -> int:
    return (
        int(interval[:-1]) * {"m": 60_000, "h": HOUR_MS, "d": 24 * HOUR_MS, "w": 168 * HOUR_MS}[interval[-1]]
    )
