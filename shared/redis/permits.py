"""Permits counted in Redis, which costs the database nothing; without Redis the database counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from shared.errors import RateLimitedError
from shared.redis.client import RedisClient, RedisGoneError
from shared.sessions.port import Store

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# One step for all instances: count, unless the limit is reached; the first use sets the end of the count.
_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used >= tonumber(ARGV[1]) then return 0 end
redis.call('INCR', KEYS[1])
if used == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
"""


def store_with_permits(store: Store, client: RedisClient) -> Store:
    """The store, its permits counted in Redis while Redis answers."""
    return cast(Store, RedisPermits(store, client))


class RedisPermits:
    """`UsageLedger.take_permit` in the same windows as the store's; all else is the store's own.

    In a window in which Redis came or went, a user may get up to twice the limit: each counted a part.
    """

    def __init__(self, store: Store, client: RedisClient) -> None:
        self._store = store
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take_permit(
        self, *, user_id: str, kind: str, limit: int, window_seconds: float, now: datetime
    ) -> None:
        micros, length = (now - _EPOCH) // _MICROSECOND, round(window_seconds * 1_000_000)
        left = length - micros % length
        key = self._client.key("permit", user_id, kind, str(length), str(micros // length))
        # A little longer than the window, as clocks differ.
        lives = left // 1000 + 60_000
        try:
            taken = await self._client.call(lambda redis: redis.eval(_TAKE, 1, key, limit, lives))
        except RedisGoneError:
            await self._store.take_permit(
                user_id=user_id, kind=kind, limit=limit, window_seconds=window_seconds, now=now
            )
            return
        if not taken:
            raise RateLimitedError("too many requests in a short time", retry_after=left / 1_000_000)
