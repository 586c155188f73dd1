"""The client: deadlines, the breaker, passwords, and a URL that nobody sees."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from shared.errors import ConfigurationError
from shared.redis.breaker import Breaker
from shared.redis.client import RedisClient, RedisGoneError
from shared.redis.select import open_bus, open_redis, response_cache, store_over
from shared.sealing import Keyring
from shared.sessions.cache import CachedStore
from shared.settings import Settings, read_settings
from tests.servers.ports import free_port
from tests.servers.valkey import ValkeyServer, valkey_server
from tests.shared.redis.turns import KEYS

PASSWORD = "p-ss%40w0rd"


async def ping(client: RedisClient) -> bool:
    return bool(await client.call(lambda redis: redis.echo("x")))


async def test_it_starts_without_a_server_and_finds_it_later(valkey: ValkeyServer) -> None:
    valkey.kill()
    client = await RedisClient.open(valkey.url, keyring=Keyring())
    assert await client.check() == "degraded"
    with pytest.raises(RedisGoneError):
        await ping(client)
    valkey.start()
    assert await client.check() == "healthy"
    assert await ping(client)
    await client.close()


async def test_a_hung_server_costs_a_call_100_ms_and_then_nothing(valkey: ValkeyServer) -> None:
    client = await RedisClient.open(valkey.url, keyring=Keyring())
    assert await ping(client)
    valkey.hang()
    spent = []
    for _ in range(50):
        started = time.perf_counter()
        with pytest.raises(RedisGoneError):
            await ping(client)
        spent.append(time.perf_counter() - started)
    # Bounds that a busy machine keeps too: asked 49 times more, it would be waited for five seconds.
    assert spent[0] < 5
    assert sum(spent[1:]) < 4
    started = time.perf_counter()
    assert await client.check() == "degraded"
    assert time.perf_counter() - started < 20
    valkey.go_on()
    assert await client.check() == "healthy"
    # An answer that came too late is nobody else's answer.
    for number in range(20):
        assert await client.call(lambda redis, n=number: redis.echo(str(n))) == str(number).encode()  # type: ignore[misc]
    await client.close()


async def test_a_burst_waits_for_connections_and_is_not_taken_for_a_failure(valkey: ValkeyServer) -> None:
    # Longer than calls have by default, for a busy machine, and as many more of them.
    client = await RedisClient.open(valkey.url, keyring=Keyring(), call_seconds=0.5)
    found = await asyncio.gather(*(ping(client) for _ in range(2_500)), return_exceptions=True)
    assert found.count(True) > 8
    assert not client.breaker.is_open
    valkey.hang()
    started = time.perf_counter()
    found = await asyncio.gather(*(ping(client) for _ in range(500)), return_exceptions=True)
    assert {type(each) for each in found} == {RedisGoneError}
    assert client.breaker.is_open
    # One after the other they would take four minutes.
    assert time.perf_counter() - started < 20
    await client.close()


def test_the_breaker_lets_one_try() -> None:
    now = [0.0]
    breaker = Breaker(open_seconds=3, now=lambda: now[0])
    assert breaker.allows()
    breaker.failed()
    assert (breaker.allows(), breaker.is_open) == (False, True)
    now[0] = 3.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert (breaker.allows(), breaker.is_open) == (True, False)


async def test_a_password_is_used_and_never_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with valkey_server(password="p-ss@w0rd") as server:
        right = await RedisClient.open(server.url.replace("p-ss@w0rd", PASSWORD), keyring=Keyring())
        wrong = await RedisClient.open(server.url.replace("p-ss@w0rd", "secret-word"), keyring=Keyring())
        assert [await right.check(), await wrong.check()] == ["healthy", "degraded"]
        with pytest.raises(RedisGoneError) as gone:
            await ping(wrong)
        await right.close()
        await wrong.close()
    told = caplog.text + str(gone.value) + repr(gone.value.__context__ and gone.value.__cause__)
    for word in ("p-ss", "secret-word", str(server.port)):
        assert word not in told


@pytest.mark.parametrize(
    "url", ["http://h", "redis://h:port", "redis://h:6379/0?socket_timeout=x", "secret-word"]
)
async def test_a_wrong_url_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refused:
        await RedisClient.open(url, keyring=Keyring())
    assert url not in str(refused.value)


def test_the_setting_is_checked_and_hidden() -> None:
    found = read_settings({"REDIS_URL": "rediss://:secret-word@h:1/0"})
    assert "secret-word" not in repr(found)
    with pytest.raises(ConfigurationError, match="REDIS_URL") as refused:
        read_settings({"REDIS_URL": "secret-word"})
    assert "secret-word" not in str(refused.value)


async def test_tls_is_what_rediss_means(valkey: ValkeyServer) -> None:
    client = await RedisClient.open(valkey.url.replace("redis://", "rediss://"), keyring=Keyring())
    # The server speaks no TLS: a client that did not insist would be answered.
    assert await client.check() == "degraded"
    await client.close()


async def test_names_tell_nothing_and_depend_on_the_keys() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    sealed, plain = [await RedisClient.open(url, keyring=keys) for keys in (KEYS, Keyring())]
    assert sealed.key("turn", "alice", "t") != plain.key("turn", "alice", "t")
    assert sealed.key("turn", "ab", "c") != sealed.key("turn", "a", "bc")
    assert "alice" not in sealed.key("turn", "alice", "t")


async def test_parts_by_settings() -> None:
    assert await open_redis(Settings(), KEYS) is None
    settings = read_settings({"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"})
    client = await open_redis(settings, KEYS)
    assert client is not None
    assert response_cache(None) is None
    assert response_cache(client) is not None
    assert response_cache(await open_redis(settings, Keyring())) is None
    bus = open_bus(client)
    await bus.close()
    for each in (None, client):
        assert isinstance(store_over(each, object()), CachedStore)  # type: ignore[arg-type]
