"""Values that instances share: kept for a while, and nothing else than what was put."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.redis.cache import MAX_VALUE, RedisCache
from shared.redis.client import RedisClient
from shared.sealing import Keyring
from tests.servers.valkey import ValkeyServer
from tests.shared.redis.turns import KEYS

KEY, OTHER = ("page", "https://a.test/"), ("page", "https://b.test/")


@pytest.fixture(params=["sealed", "plain"])
async def client(request: pytest.FixtureRequest, valkey: ValkeyServer) -> AsyncIterator[RedisClient]:
    """A client with keys, and one without."""
    opened = await RedisClient.open(
        valkey.url, keyring=KEYS if request.param == "sealed" else Keyring(), call_seconds=2
    )
    yield opened
    await opened.close()


def names(server: ValkeyServer) -> list[bytes]:
    return [word for word in server.command("KEYS", "*").split(b"\r\n") if word.startswith(b"the0:")]


async def test_what_is_put_is_found_until_its_time_is_over(client: RedisClient, valkey: ValkeyServer) -> None:
    cache = RedisCache(client)
    assert await cache.get(key=KEY) is None
    await cache.put(key=KEY, value=b"\x00\x01value", seconds=60)
    assert await cache.get(key=KEY) == b"\x00\x01value"
    assert await cache.get(key=OTHER) is None
    assert 0 < int(valkey.command("TTL", names(valkey)[0])[1:]) <= 60
    await cache.put(key=KEY, value=b"short", seconds=0.03)
    async with asyncio.timeout(2):
        while await cache.get(key=KEY) is not None:
            await asyncio.sleep(0.01)


async def test_what_is_too_long_or_over_at_once_is_not_kept(client: RedisClient) -> None:
    cache = RedisCache(client)
    await cache.put(key=KEY, value=b"x" * (MAX_VALUE + 1), seconds=60)
    await cache.put(key=OTHER, value=b"x", seconds=0)
    assert [await cache.get(key=KEY), await cache.get(key=OTHER)] == [None, None]


async def test_a_value_of_another_place_is_as_good_as_absent(
    client: RedisClient, valkey: ValkeyServer
) -> None:
    cache = RedisCache(client)
    await cache.put(key=KEY, value=b"value", seconds=60)
    (name,) = names(valkey)
    valkey.command("COPY", name, client.key("cache", *OTHER))
    assert await cache.get(key=OTHER) is None


@pytest.mark.parametrize("forged", [b"", b"plain", b"\x01" + b"0" * 80])
async def test_a_forged_value_is_as_good_as_absent(
    client: RedisClient, valkey: ValkeyServer, forged: bytes
) -> None:
    valkey.command("SET", client.key("cache", *KEY), forged)
    assert await RedisCache(client).get(key=KEY) is None
    valkey.command("DEL", client.key("cache", *KEY))
    valkey.command("RPUSH", client.key("cache", *KEY), forged)
    assert await RedisCache(client).get(key=KEY) is None


async def test_with_keys_an_unsealed_value_is_never_believed(valkey: ValkeyServer) -> None:
    plain = await RedisClient.open(valkey.url, keyring=Keyring())
    await RedisCache(plain).put(key=KEY, value=b"value", seconds=60)
    sealed = await RedisClient.open(valkey.url, keyring=KEYS)
    valkey.command("COPY", names(valkey)[0], sealed.key("cache", *KEY))
    assert await RedisCache(sealed).get(key=KEY) is None
    await plain.close()
    await sealed.close()


async def test_another_loop_is_served_too(client: RedisClient) -> None:
    cache = RedisCache(client)

    async def work() -> bytes | None:
        await cache.put(key=KEY, value=b"from there", seconds=60)
        return await cache.get(key=KEY)

    assert await asyncio.to_thread(asyncio.run, work()) == b"from there"


async def test_a_killed_server_keeps_nothing_and_hurts_nobody(
    client: RedisClient, valkey: ValkeyServer
) -> None:
    cache = RedisCache(client)
    await cache.put(key=KEY, value=b"value", seconds=60)
    valkey.kill()
    assert await cache.get(key=KEY) is None
    await cache.put(key=KEY, value=b"value", seconds=60)
