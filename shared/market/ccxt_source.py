"""Candles of exchanges by ccxt, as the `CandleSource` of port.py; closed candles are asked for once."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from shared.browsing.dialer import SystemDialer
from shared.market.cache import CandleCache, Key, Stretch
from shared.market.candles import Candles, timeframe_ms
from shared.market.exchanges import exchange_named
from shared.market.loop import on_market_loop
from shared.market.shared_candles import SharedCandles
from shared.shared_cache import SharedCache
from shared.tools.port import Dialer, Resolver

if TYPE_CHECKING:
    from shared.market.ccxt_client import CcxtClient

REQUEST_SECONDS = 10.0
_KEPT = 10_000
# The list of an exchange's markets takes tens of megabytes.
_MAX_CLIENTS = 4


class CcxtSource:
    """One client an exchange, made at its first use; `timeout` in seconds is that of one request."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        dialer: Dialer,
        timeout: float = REQUEST_SECONDS,
        cache: CandleCache | None = None,
        shared: SharedCache | None = None,
    ) -> None:
        self._resolver = resolver
        self._dialer = dialer
        self._timeout = timeout
        self._cache = cache or CandleCache()
        self._shared = SharedCandles(shared)
        self._clients: dict[str, CcxtClient] = {}
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def candles(
        self, *, exchange: str, symbol: str, timeframe: str, count: int, now: int
    ) -> tuple[str, Candles]:
        exchange_named(exchange)
        return await on_market_loop(self._candles(exchange, symbol, timeframe, count, now))

    async def _candles(
        self, exchange: str, wanted: str, timeframe: str, count: int, now: int
    ) -> tuple[str, Candles]:
        client = self._client(exchange)
        client.check_timeframe(timeframe)
        async with client.connected():
            symbol = await client.symbol(wanted)
            key = (exchange_named(exchange).id, symbol, timeframe)
            lock = self._locks.setdefault(key, asyncio.Lock())
            async with lock:
                known = await self._series(client, key, count, now)
        step = timeframe_ms(timeframe)
        end = known.index_from(now - step + 1)
        return symbol, known.part(max(0, end - count), end)

    async def _series(self, client: CcxtClient, key: Key, count: int, now: int) -> Candles:
        """The kept series, brought up to `now`: only what is missing is asked for."""
        _, symbol, timeframe = key
        step = timeframe_ms(timeframe)
        since = (now // step - count - 1) * step
        kept = self._cache.find(key)
        if kept is None or since < kept.since:
            kept = await self._shared.find(key, now=now)
        if kept is None or since < kept.since:
            candles = await client.download(symbol=symbol, timeframe=timeframe, since=since, now=now)
            await self._keep(key, Stretch(since=since, candles=candles))
            return candles
        following = kept.candles.times[-1] + step
        if following + step > now:
            self._cache.keep(key, kept)
            return kept.candles
        more = await client.download(symbol=symbol, timeframe=timeframe, since=following, now=now)
        rows = [*kept.candles.rows(), *more.rows()]
        oldest = kept.since if len(rows) <= _KEPT else rows[-_KEPT][0]
        candles = Candles.of(rows[-_KEPT:])
        await self._keep(key, Stretch(since=oldest, candles=candles))
        return candles

    async def _keep(self, key: Key, stretch: Stretch) -> None:
        self._cache.keep(key, stretch)
        await self._shared.share(key, stretch)

    def _client(self, name: str) -> CcxtClient:
        from shared.market.ccxt_client import CcxtClient

        exchange = exchange_named(name)
        client = self._clients.pop(exchange.id, None) or CcxtClient(
            exchange=exchange, resolver=self._resolver, dialer=self._dialer, timeout=self._timeout
        )
        self._clients[exchange.id] = client
        for other in [key for key, one in self._clients.items() if not one.in_use][:-_MAX_CLIENTS]:
            del self._clients[other]
        return client


_SOURCES: deque[tuple[Resolver, Dialer | None, SharedCache | None, CcxtSource]] = deque(maxlen=4)


def source_of(resolver: Resolver, dialer: Dialer | None, shared: SharedCache | None = None) -> CcxtSource:
    """The process's source that goes through this resolver and dialer (None: the real network).

    `shared` holds what other instances have read.
    """
    for known_resolver, known_dialer, known_shared, source in _SOURCES:
        if known_resolver is resolver and known_dialer is dialer and known_shared is shared:
            return source
    source = CcxtSource(resolver=resolver, dialer=dialer or SystemDialer(), shared=shared)
    _SOURCES.append((resolver, dialer, shared, source))
    return source
