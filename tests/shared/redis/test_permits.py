"""Permits in Redis: the store's windows, one count for all instances, the store when Redis is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import RateLimitedError
from shared.redis.client import RedisClient
from shared.redis.permits import RedisPermits
from tests.servers.valkey import ValkeyServer
from tests.shared.redis.turns import KEYS

NOW = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)


class CountingStore:
    """Stands for the store; tells how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def take_permit(self, **_: Any) -> None:
        self.asked += 1


@pytest.fixture
async def instances(valkey: ValkeyServer) -> AsyncIterator[list[tuple[RedisPermits, CountingStore]]]:
    """Two instances."""
    clients = [await RedisClient.open(valkey.url, keyring=KEYS, call_seconds=2) for _ in range(2)]
    stores = [CountingStore() for _ in clients]
    pairs = zip(clients, stores, strict=True)
    yield [(RedisPermits(store, client), store) for client, store in pairs]  # type: ignore[arg-type]
    for client in clients:
        await client.close()


Instances = list[tuple[RedisPermits, CountingStore]]


async def take(permits: RedisPermits, *, user_id: str = "alice", now: datetime = NOW, limit: int = 5) -> bool:
    try:
        await permits.take_permit(user_id=user_id, kind="turn", limit=limit, window_seconds=60, now=now)
    except RateLimitedError:
        return False
    return True


async def test_the_limit_holds_across_instances_at_once(instances: Instances) -> None:
    (first, _), (second, store) = instances
    taken = await asyncio.gather(*(take(one) for _ in range(40) for one in (first, second)))
    assert sum(taken) == 5
    assert await take(first, user_id="bob")
    assert store.asked == 0


async def test_windows_begin_at_multiples_of_their_length(instances: Instances) -> None:
    (permits, _), _ = instances
    for _ in range(5):
        assert await take(permits)
    with pytest.raises(RateLimitedError) as refused:
        await permits.take_permit(user_id="alice", kind="turn", limit=5, window_seconds=60, now=NOW)
    assert refused.value.retry_after == 40
    assert await take(permits, now=NOW + timedelta(seconds=40))
    assert not await take(permits, now=NOW + timedelta(seconds=39))
    assert not await take(permits, user_id="carol", limit=0)


async def test_counts_go_by_themselves(instances: Instances, valkey: ValkeyServer) -> None:
    (permits, _), _ = instances
    await take(permits)
    (name,) = [word for word in valkey.command("KEYS", "*").split(b"\r\n") if word.startswith(b"the0:")]
    assert 0 < int(valkey.command("TTL", name)[1:]) <= 100
    assert b"alice" not in name


async def test_without_redis_the_store_counts(instances: Instances, valkey: ValkeyServer) -> None:
    (permits, store), _ = instances
    assert await take(permits)
    valkey.hang()
    for _ in range(3):
        assert await take(permits)
    assert store.asked == 3
