"""Candles of exchanges: ccxt's own clients against servers on the exchanges' own host names."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from shared.errors import ToolFailedError, ToolInputError
from shared.market.cache import CandleCache, Stretch
from shared.market.candles import Candles
from shared.market.ccxt_source import CcxtSource
from shared.market.exchanges import EXCHANGES
from tests.servers.exchange import HOUR_MS, ExchangeServer, answer, binance, kraken, price_at
from tests.servers.sites import Reply, Sites, redirect

# 2026-01-10T00:30:00Z: half of a candle has passed.
NOW = 1_768_005_000_000
NEWEST_CLOSED = NOW - HOUR_MS // 2 - HOUR_MS


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    async with Sites() as opened:
        yield opened
        assert opened.strays == []


@pytest.fixture
async def server(sites: Sites) -> ExchangeServer:
    return await binance(sites, now=NOW)


def source_through(sites: Sites, timeout: float = 5.0) -> CcxtSource:
    return CcxtSource(resolver=sites, dialer=sites, timeout=timeout)


async def read(
    source: CcxtSource,
    *,
    symbol: str = "BTC/USDT",
    count: int = 100,
    now: int = NOW,
    exchange: str = "binance",
) -> Candles:
    _, candles = await source.candles(exchange=exchange, symbol=symbol, timeframe="1h", count=count, now=now)
    return candles


async def test_only_closed_candles_come_with_the_exchange_s_numbers(
    sites: Sites, server: ExchangeServer
) -> None:
    candles = await read(source_through(sites))
    assert len(candles) == 100
    assert candles.times[-1] == NEWEST_CLOSED
    assert {after - before for before, after in pairwise(candles.times)} == {HOUR_MS}
    assert candles.rows()[0][1:] == pytest.approx(price_at(candles.times[0], HOUR_MS, "BTCUSDT"))


async def test_a_long_history_comes_page_by_page(sites: Sites, server: ExchangeServer) -> None:
    candles = await read(source_through(sites), count=2500)
    asked = server.queries("klines")
    starts = [int(query["startTime"]) for query in asked]
    assert len(candles) == 2500
    assert [after - before for before, after in pairwise(starts)] == [1000 * HOUR_MS] * 2
    assert {query["limit"] for query in asked} == {"1000"}


async def test_a_market_younger_than_the_time_asked_gives_what_there_is(
    sites: Sites, server: ExchangeServer
) -> None:
    server.listed_since = NEWEST_CLOSED - 9 * HOUR_MS
    assert len(await read(source_through(sites), count=500)) == 10


async def test_an_empty_page_before_the_listing_is_stepped_over(sites: Sites) -> None:
    server = await binance(sites, now=NOW)
    listed = NEWEST_CLOSED - 9 * HOUR_MS

    def window_only(path: str, query: dict[str, str]) -> Reply | None:
        if path.endswith("klines") and int(query["startTime"]) + 1000 * HOUR_MS < listed:
            return answer([])
        return None

    server.listed_since, server.instead = listed, window_only
    assert len(await read(source_through(sites), count=2500)) == 10


async def test_kraken_s_own_form_and_its_720_candles(sites: Sites) -> None:
    server = await kraken(sites, now=NOW)
    symbol, candles = await source_through(sites).candles(
        exchange="Kraken", symbol="btc-usd", timeframe="1h", count=1000, now=NOW
    )
    assert (symbol, len(candles), candles.times[-1]) == ("BTC/USD", 719, NEWEST_CLOSED)
    # Kraken takes one public request a second, and the client keeps to it.
    assert server.paths() == ["AssetPairs", "OHLC"]
    assert server.moments[1] - server.moments[0] > 0.8


async def test_closed_candles_are_asked_for_once(sites: Sites, server: ExchangeServer) -> None:
    source = source_through(sites)
    first = await read(source)
    again = await read(source, symbol="btcusdt", count=60)
    assert server.paths() == ["exchangeInfo", "klines"]
    assert again == first.part(40)

    server.now = later = NOW + 2 * HOUR_MS
    moved = await read(source, now=later)
    assert server.paths() == ["exchangeInfo", "klines", "klines"]
    assert int(server.queries("klines")[-1]["startTime"]) == NEWEST_CLOSED + HOUR_MS
    assert moved.rows()[:-2] == first.rows()[2:]

    await read(source, count=300, now=later)
    assert len(server.queries("klines")) == 3


async def test_the_same_series_asked_for_at_once_is_fetched_once(
    sites: Sites, server: ExchangeServer
) -> None:
    source = source_through(sites)
    found = await asyncio.gather(*(read(source) for _ in range(5)))
    assert len(set(map(len, found))) == 1
    assert server.paths() == ["exchangeInfo", "klines"]


async def test_a_cancelled_caller_leaves_the_others_their_answer(
    sites: Sites, server: ExchangeServer
) -> None:
    source = source_through(sites)
    first, second = asyncio.create_task(read(source)), asyncio.create_task(read(source))
    while not server.asked:
        await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 100
    with pytest.raises(asyncio.CancelledError):
        await first


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("BTC/USD", "BTC/USDC, BTC/USDT"),
        ("EHT/USDT", "ETH/USDT"),
        ("SOLANA", "write it as|SOL/USDT"),
        ("BTC/USDT:USDT", "BTC/USDT"),
    ],
)
async def test_an_unknown_symbol_names_the_nearest(
    sites: Sites, server: ExchangeServer, wanted: str, words: str
) -> None:
    with pytest.raises(ToolInputError, match=words):
        await read(source_through(sites), symbol=wanted)
    assert server.queries("klines") == []


async def test_an_unknown_exchange_names_those_there_are() -> None:
    with pytest.raises(ToolInputError, match=r"did you mean binance\?.*kraken"):
        await read(source_through(Sites()), exchange="binanze")


async def test_a_timeframe_the_exchange_lacks_names_those_it_has(sites: Sites) -> None:
    with pytest.raises(ToolInputError, match="kraken has no 3m candles; choose one of 1m, 5m"):
        await source_through(sites).candles(
            exchange="kraken", symbol="BTC/USD", timeframe="3m", count=10, now=NOW
        )
    assert sites.lookups == []


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (answer({"code": -1003, "msg": "Too many requests"}, status=429), "rate_limited", True),
        (answer({"code": -1003, "msg": "banned until"}, status=418), "rate_limited", True),
        (answer({}, status=500), "exchange_unavailable", True),
        (Reply("<html>bad gateway</html>", status=502), "exchange_unavailable", True),
        (answer({"msg": "restricted location"}, status=451), "exchange_", None),
        (Reply("no JSON at all"), "exchange_failed", True),
        (answer([[NEWEST_CLOSED, "1", "1", "2", "1", "1"]]), "exchange_failed", True),
        (answer([[NEWEST_CLOSED, "-1", "1", "-2", "1", "1"]]), "exchange_failed", True),
        (answer([[NEWEST_CLOSED, "NaN", "NaN", "NaN", "NaN", "1"]]), "exchange_failed", True),
        (answer({"surprise": True}), "exchange_failed", True),
        (redirect("https://evil.example/klines"), "exchange_failed", True),
        (redirect("http://169.254.169.254/latest/meta-data"), "exchange_failed", True),
        (redirect("http://api.binance.com/api/v3/klines"), "exchange_failed", True),
        (Reply(b"", headers={"Content-Length": "99000000"}), "exchange_failed", True),
    ],
)
async def test_failures_of_the_exchange(
    sites: Sites, server: ExchangeServer, reply: Reply, code: str, retryable: bool | None
) -> None:
    server.instead = lambda path, query: reply if path.endswith("klines") else None
    with pytest.raises(ToolFailedError) as caught:
        await read(source_through(sites))
    assert caught.value.tool_code.startswith(code)
    assert retryable is None or caught.value.tool_retryable is retryable
    assert "binance" in caught.value.message
    assert "https:" not in caught.value.message
    assert set(sites.lookups) == {"api.binance.com"}


async def test_a_failure_is_not_remembered(sites: Sites, server: ExchangeServer) -> None:
    source = source_through(sites)
    server.instead = lambda path, query: answer({}, status=503)
    with pytest.raises(ToolFailedError):
        await read(source)
    server.instead = lambda path, query: None
    assert len(await read(source)) == 100


async def test_an_answer_that_does_not_come_is_a_timeout(sites: Sites, server: ExchangeServer) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"["
        await asyncio.Event().wait()

    server.instead = lambda path, query: Reply(chunks=never) if path.endswith("klines") else None
    with pytest.raises(ToolFailedError) as caught:
        await read(source_through(sites, timeout=0.3))
    assert (caught.value.tool_code, caught.value.tool_retryable) == ("timeout", True)


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("127.0.0.1",), ("::1", "169.254.169.254")])
async def test_the_name_of_an_exchange_at_a_private_address_is_not_connected_to(
    sites: Sites, server: ExchangeServer, addresses: tuple[str, ...]
) -> None:
    sites.answers["api.binance.com"] = [addresses]
    with pytest.raises(ToolFailedError) as caught:
        await read(source_through(sites))
    assert caught.value.tool_code == "exchange_unavailable"
    assert server.site.connections == 0


async def test_a_certificate_for_another_name_is_refused(sites: Sites) -> None:
    site = await sites.add("api.binance.com", certificate="evil.example")
    with pytest.raises(ToolFailedError):
        await read(source_through(sites))
    assert site.requests == []


async def test_proxies_of_the_environment_are_not_used(
    sites: Sites, server: ExchangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert len(await read(source_through(sites))) == 100


@pytest.mark.parametrize("name", EXCHANGES)
async def test_each_exchange_is_asked_at_its_own_hosts_without_credentials(sites: Sites, name: str) -> None:
    exchange = EXCHANGES[name]
    server = ExchangeServer(now=NOW, site=await sites.add(exchange.hosts[0]))
    server.site.replies = {}
    with pytest.raises(ToolFailedError):
        await read(source_through(sites), exchange=name)
    assert set(sites.lookups) == set(exchange.hosts)
    assert server.site.requests
    for request in server.site.requests:
        assert not {"authorization", "cookie"} & request.headers.keys()
        assert not [header for header in request.headers if "key" in header or "sign" in header]


async def test_the_lists_of_a_few_exchanges_are_kept(sites: Sites, server: ExchangeServer) -> None:
    source = source_through(sites)
    await read(source)
    for name in ("bitstamp", "bitfinex", "gate", "okx"):
        with pytest.raises(ToolFailedError):
            await read(source, exchange=name)
    await read(source, symbol="ETH/USDT")
    assert server.paths() == ["exchangeInfo", "klines"] * 2
    await read(source, symbol="SOL/USDT")
    assert server.paths()[4:] == ["klines"]


def test_the_cache_lets_the_least_recently_used_go() -> None:
    cache = CandleCache(max_candles=5)
    two = Candles.of([(moment, 1.0, 1.0, 1.0, 1.0, 0.0) for moment in (0, 1)])
    a, b, c = (("x", name, "1h") for name in "abc")
    cache.keep(a, Stretch(since=0, candles=two))
    cache.keep(b, Stretch(since=0, candles=two))
    assert cache.find(a) is not None
    cache.keep(c, Stretch(since=0, candles=two))
    assert [cache.find(key) is not None for key in (a, b, c)] == [True, False, True]
    cache.keep(a, Stretch(since=0, candles=Candles.of(two.rows() * 3)))
    assert cache.find(a) is None


def test_importing_one_exchange_leaves_the_others_and_ccxt_itself_alone() -> None:
    program = (
        "import sys; from shared.market.ccxt_module import load_exchange\n"
        "kind, errors = load_exchange('kraken'); load_exchange('binance')\n"
        "assert 'ccxt' not in sys.modules and 'ccxt.async_support' not in sys.modules\n"
        "assert not [name for name in sys.modules if name.endswith('.bitfinex')]\n"
        "import ccxt.async_support\n"
        "assert ccxt.async_support.kraken is kind and len(ccxt.exchanges) > 50\n"
        "assert ccxt.NetworkError is errors.NetworkError\n"
        "assert load_exchange('okx')[0] is ccxt.async_support.okx\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
