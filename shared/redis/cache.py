"""The `SharedCache` in Redis: each value sealed under the name of its place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.errors import InternalError
from shared.redis.client import RedisClient, RedisGoneError

T = TypeVar("T")

MAX_VALUE = 2 * 1024 * 1024
_MAX_SECONDS = 24 * 3600.0
_MARK_BYTES = 16


class RedisCache:
    """Belongs to the loop it was made on; calls from other loops (the market's) are passed on to that one."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()

    async def get(self, *, key: tuple[str, ...]) -> bytes | None:
        return await self._at_home(self._get(key))

    async def put(self, *, key: tuple[str, ...], value: bytes, seconds: float) -> None:
        await self._at_home(self._put(key, value, min(seconds, _MAX_SECONDS)))

    async def drop(self, *, key: tuple[str, ...]) -> None:
        await self._at_home(self._drop(key))

    async def _drop(self, key: tuple[str, ...]) -> None:
        name = self._client.key("cache", *key)
        try:
            await self._client.call(lambda redis: redis.delete(name))
        except RedisGoneError:
            # It runs out.
            return

    async def _get(self, key: tuple[str, ...]) -> bytes | None:
        name, place = self._client.key("cache", *key), "\0".join(key)
        try:
            stored = await self._client.call(lambda redis: redis.get(name))
        except RedisGoneError:
            return None
        keyring = self._client.keyring
        if not isinstance(stored, bytes) or not (keyring.is_empty or keyring.is_sealed(stored)):
            return None
        try:
            plain = keyring.open(stored, place)
        except InternalError:
            return None
        # Without keys nothing is sealed; the mark still tells whether the value belongs here.
        return plain[_MARK_BYTES:] if plain[:_MARK_BYTES] == _mark(place) else None

    async def _put(self, key: tuple[str, ...], value: bytes, seconds: float) -> None:
        milliseconds = round(seconds * 1000)
        if len(value) > MAX_VALUE or milliseconds < 1:
            return
        name, place = self._client.key("cache", *key), "\0".join(key)
        sealed = self._client.keyring.seal(_mark(place) + value, place)
        try:
            await self._client.call(lambda redis: redis.set(name, sealed, px=milliseconds))
        except RedisGoneError:
            # The next reader asks where the value comes from.
            return

    async def _at_home(self, work: Coroutine[Any, Any, T]) -> T | None:
        if asyncio.get_running_loop() is self._loop:
            return await work
        if self._loop.is_closed():
            work.close()
            return None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))


def _mark(place: str) -> bytes:
    return hashlib.sha256(place.encode("utf-8", "surrogatepass")).digest()[:_MARK_BYTES]
