"""The stores of a process: sessions, objects, and Redis over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.opened.parts import Parts, ready
from shared.tracing.calls import traced_calls
from shared.tracing.names import database_of, objects_of

if TYPE_CHECKING:
    from shared.artifacts.port import ObjectStore
    from shared.redis.client import RedisClient
    from shared.sessions.port import Store


class Stores(Parts):
    """What keeps what users did."""

    async def store(self) -> Store:
        """The session store."""
        found: Store | None = self._open.get("store")
        if found is not None:
            return found
        from shared.redis.select import store_over
        from shared.sessions.select import open_store

        redis = await self.redis()

        async def opened() -> Store:
            store = traced_calls(await open_store(self.settings), "sessions", database_of(self.settings))
            return store_over(redis, store)

        return await self._once("store", opened)

    async def redis(self) -> RedisClient | None:
        """The Redis client; None without REDIS_URL."""
        if self.settings.redis_url is None:
            return None
        from shared.redis.select import open_redis
        from shared.sealing import Keyring

        keys = self.settings.encryption_keys
        keyring = Keyring.of(keys.get_secret_value() if keys else None)
        return await self._once("redis", lambda: open_redis(self.settings, keyring))

    async def objects(self) -> ObjectStore:
        """The object store."""
        from shared.artifacts.select import open_objects

        return await self._once(
            "objects",
            lambda: ready(traced_calls(open_objects(self.settings), "objects", objects_of(self.settings))),
        )
