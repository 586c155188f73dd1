"""The parts that Redis gives, by settings; without REDIS_URL there is no client, and all do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.agent.bus import NoBus, TurnBus
from shared.sealing import Keyring
from shared.sessions.port import Store
from shared.settings import Settings
from shared.shared_cache import SharedCache

if TYPE_CHECKING:
    from shared.redis.client import RedisClient


async def open_redis(settings: Settings, keyring: Keyring) -> RedisClient | None:
    """The client, which the caller closes; None without REDIS_URL. No server needs to be there.

    Raises:
        ConfigurationError: REDIS_URL is no URL of Redis.
    """
    if settings.redis_url is None:
        return None
    from shared.redis.client import RedisClient

    return await RedisClient.open(settings.redis_url.get_secret_value(), keyring=keyring)


def open_bus(client: RedisClient | None) -> TurnBus:
    """The bus of the deployment; the caller closes it, before the client."""
    if client is None:
        return NoBus()
    from shared.redis.turn_bus import RedisBus

    return RedisBus(client)


def store_over(client: RedisClient | None, store: Store) -> Store:
    """The store with what Redis takes off it: histories and permits. Histories are kept in any case."""
    from shared.sessions.cache import cached_store

    if client is None:
        return cached_store(store)
    from shared.redis.cache import RedisCache
    from shared.redis.forgetting import store_that_forgets
    from shared.redis.permits import store_with_permits

    store = store_that_forgets(store_with_permits(store, client), client)
    return cached_store(store, RedisCache(client))


def response_cache(client: RedisClient | None) -> SharedCache | None:
    """The second level of what tools read in public; None also without ENCRYPTION_KEYS.

    What it holds is shown to all users, so it is used only where a forged entry can be told.
    """
    if client is None or client.keyring.is_empty:
        return None
    from shared.redis.cache import RedisCache

    return RedisCache(client)
