"""What tools read in public is read once for all instances, and what is not sound is read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import orjson
import pytest

from shared.browsing.cache import FetchedPage, PageCache
from shared.browsing.shared_pages import SharedPages
from shared.market.cache import Stretch
from shared.market.candles import Candles
from shared.market.shared_candles import SharedCandles
from shared.redis.cache import RedisCache
from shared.redis.client import RedisClient
from tests.servers.valkey import ValkeyServer
from tests.shared.redis.turns import KEYS

URL = "https://docs.test/a?b=ü"
PAGE = FetchedPage(url=URL, status=200, media_type="text/html", charset="utf-8", body=b"<p>\n\x00\xff</p>")
HOUR = 3_600_000
SERIES = ("binance", "BTC/USDT", "1h")
CANDLES = Candles.of([(n * HOUR, 1.0, 2.5, 0.5, 2.0, 10.0) for n in range(1, 6)])


@pytest.fixture
async def shared(valkey: ValkeyServer) -> AsyncIterator[RedisCache]:
    """The cache that instances share."""
    client = await RedisClient.open(valkey.url, keyring=KEYS)
    yield RedisCache(client)
    await client.close()


async def test_a_page_comes_with_its_validators_and_the_rest_of_its_time(shared: RedisCache) -> None:
    here, there = PageCache(now=lambda: 100.0), PageCache(now=lambda: 5000.0)
    stored = here.store(PAGE, {"etag": '"1"', "cache-control": "max-age=90"})
    await SharedPages(here, shared, now=lambda: 1000.0).share(stored)
    found = await SharedPages(there, shared, now=lambda: 1030.0).find(URL)
    assert found is not None
    assert (found.page, found.etag, found.last_modified) == (PAGE, '"1"', None)
    assert there.seconds_left(found) == pytest.approx(60)
    assert there.find(URL) == found
    late = await SharedPages(PageCache(), shared, now=lambda: 1200.0).find(URL)
    assert late is not None
    assert not PageCache().is_fresh(replace(late, fresh_until=-1))
    assert await SharedPages(there, shared).find("https://docs.test/other") is None


async def test_a_private_page_is_not_shared(shared: RedisCache, valkey: ValkeyServer) -> None:
    pages = PageCache()
    await SharedPages(pages, shared).share(pages.store(PAGE, {"cache-control": "private"}))
    assert valkey.command("DBSIZE").strip() == b":0"


@pytest.mark.parametrize("form", [b"", b"{}\nbody", b'{"version":9}\n', b"[]\n", b"\xff\n"])
async def test_a_page_that_is_none_is_not_taken(shared: RedisCache, form: bytes) -> None:
    await shared.put(key=("page", URL), value=form, seconds=60)
    assert await SharedPages(PageCache(), shared).find(URL) is None


async def test_candles_come_as_they_were_kept(shared: RedisCache) -> None:
    stretch = Stretch(since=HOUR, candles=CANDLES)
    await SharedCandles(shared).share(SERIES, stretch)
    assert await SharedCandles(shared).find(SERIES, now=6 * HOUR) == stretch
    # By this clock the last one is still open.
    assert await SharedCandles(shared).find(SERIES, now=6 * HOUR - 1) is None
    assert await SharedCandles(None).find(SERIES, now=6 * HOUR) is None


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"times": [1, 2]},
        {"times": [5, 4, 3, 2, 1]},
        {"closes": [1.0, 2.0, 0.0, 2.0, 2.0]},
        {"opens": ["1", 1.0, 1.0, 1.0, 1.0]},
        {"volumes": None},
        {"since": "x"},
    ],
    ids=str,
)
async def test_candles_that_are_not_sound_are_not_taken(
    shared: RedisCache, change: dict[str, object]
) -> None:
    names = ("times", "opens", "highs", "lows", "closes", "volumes")
    sound = {"version": 1, "since": HOUR, **{name: getattr(CANDLES, name) for name in names}}
    await shared.put(key=("candles", *SERIES), value=orjson.dumps({**sound, **change}), seconds=60)
    assert await SharedCandles(shared).find(SERIES, now=6 * HOUR) is None
