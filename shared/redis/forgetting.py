"""What Redis holds of a user's turns goes when their records are erased."""

from __future__ import annotations

from typing import Any, cast

from shared.keys import SessionKey
from shared.redis.client import RedisClient, RedisGoneError
from shared.sessions.erasure_port import ErasedPart
from shared.sessions.port import Store


def store_that_forgets(store: Store, client: RedisClient) -> Store:
    """The store; a session that it erases leaves no updates of its turns in Redis."""
    return cast(Store, ForgettingStore(store, client))


class ForgettingStore:
    """`UserErasure.erase_session` with the turns' updates; all else is the store's own."""

    def __init__(self, store: Store, client: RedisClient) -> None:
        self._store = store
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def erase_session(self, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
        part = await self._store.erase_session(key=key, gone=gone, limit=limit)
        names = [self._client.key("turn", key.user_id, turn_id) for turn_id in part.turn_ids]
        if names:
            try:
                await self._client.call(lambda redis: redis.delete(*names))
            except RedisGoneError:
                # They run out some minutes after their turns have ended.
                return part
        return part
