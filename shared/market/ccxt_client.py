"""One exchange through ccxt: its spot markets and its candles, page by page. Lives on the market loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.errors import ToolInputError
from shared.market.candles import TIMEFRAMES, Candles, Row, timeframe_ms
from shared.market.ccxt_faults import guarded, unreadable
from shared.market.ccxt_module import load_exchange
from shared.market.connection import open_session
from shared.market.csv_file import check_candle
from shared.market.exchanges import Exchange
from shared.market.symbols import find_symbol
from shared.tools.port import Dialer, Resolver

_MARKETS_SECONDS = 3600.0
_MAX_PAGES = 40


class CcxtClient:
    """Spot markets and candles of an exchange; the client's throttle keeps to the exchange's rate limit."""

    def __init__(self, *, exchange: Exchange, resolver: Resolver, dialer: Dialer, timeout: float) -> None:
        kind, self._errors = load_exchange(exchange.id)
        self._exchange = exchange
        self._resolver = resolver
        self._dialer = dialer
        self._users = 0
        self._markets_lock = asyncio.Lock()
        self._markets_until = 0.0
        self._symbols: tuple[str, ...] = ()
        self._client: Any = kind(
            {
                "enableRateLimit": True,
                "timeout": round(timeout * 1000),
                "options": exchange.options,
                "aiohttp_trust_env": False,
                # A session of ours: ccxt neither opens nor closes one.
                "session": None,
                "ssl_context": dialer.tls_context(),
            }
        )
        # Currencies cost a request of their own, and candles do not need them.
        self._client.has["fetchCurrencies"] = False
        self._fetch = self._client.fetch
        self._client.fetch = self._fetch_json

    @property
    def in_use(self) -> bool:
        """Whether anyone holds its connections open."""
        return self._users > 0

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Holds the connections open; they close when the last of several users has left."""
        if self._client.session is None:
            self._client.session = open_session(
                hosts=self._exchange.hosts, resolver=self._resolver, dialer=self._dialer
            )
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                session, self._client.session = self._client.session, None
                await session.close()

    async def symbol(self, wanted: str) -> str:
        """The exchange's writing of a symbol; raises ToolInputError with the nearest ones."""
        async with self._markets_lock:
            if time.monotonic() >= self._markets_until:
                with guarded(self._exchange.id, self._errors):
                    markets = await self._client.load_markets(True)
                    found = (name for name, market in markets.items() if market.get("spot"))
                    self._symbols = tuple(sorted(found))
                if not self._symbols:
                    raise unreadable(self._exchange.id)
                self._markets_until = time.monotonic() + _MARKETS_SECONDS
        return find_symbol(wanted, self._symbols, exchange=self._exchange.id)

    def check_timeframe(self, timeframe: str) -> None:
        """Returns when the exchange has such candles; else raises ToolInputError with those it has."""
        has = [name for name in TIMEFRAMES if name in (self._client.timeframes or {})]
        if timeframe not in has:
            raise ToolInputError(
                f"timeframe: {self._exchange.id} has no {timeframe} candles; choose one of {', '.join(has)}"
            )

    async def download(self, *, symbol: str, timeframe: str, since: int, now: int) -> Candles:
        """The candles that open at `since` or later and are closed by `now`, in ms, as far as there are."""
        step = timeframe_ms(timeframe)
        found: dict[int, Row] = {}
        cursor = since
        for _ in range(_MAX_PAGES):
            page = await self._page(symbol, timeframe, cursor)
            fresh = {row[0]: row for row in page if row[0] >= cursor}
            found.update(fresh)
            # An empty page lies before the market's first candle, or in a long halt.
            cursor = max(fresh) + step if fresh else cursor + self._exchange.page * step
            if cursor + step > now:
                break
        return Candles.of([found[moment] for moment in sorted(found) if moment + step <= now])

    async def _fetch_json(self, *request: Any, **named: Any) -> Any:
        """ccxt's own request, but text that is no JSON is an error: ccxt would read it as an empty list."""
        found = await self._fetch(*request, **named)
        if not isinstance(found, (dict, list)):
            raise self._errors.BadResponse("not JSON")
        return found

    async def _page(self, symbol: str, timeframe: str, since: int) -> list[Row]:
        with guarded(self._exchange.id, self._errors):
            raw = await self._client.fetch_ohlcv(symbol, timeframe, since, self._exchange.page)
            # Some exchanges list the minutes without a trade, with no prices.
            rows = [_row(entry) for entry in raw if entry[4] is not None]
        if any(check_candle(row) for row in rows):
            raise unreadable(self._exchange.id)
        return rows


def _row(entry: list[Any]) -> Row:
    moment, opened, high, low, close, volume = entry[:6]
    return int(moment), float(opened), float(high), float(low), float(close), float(volume or 0)
