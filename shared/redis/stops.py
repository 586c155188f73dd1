"""Hears on one connection which turns were stopped anywhere."""

from __future__ import annotations

import asyncio
import logging

from shared.agent.bus import StopListener
from shared.redis.client import RedisClient
from shared.redis.tasks import end_task
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

_WAIT_SECONDS = 5.0
_AGAIN_SECONDS = 1.0


class StopNotices:
    """A subscription that comes back after a failure; what was published meanwhile is not heard."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._listeners: list[StopListener] = []
        self._task: asyncio.Task[None] | None = None
        self.subscribed = asyncio.Event()

    def add(self, listener: StopListener) -> None:
        """Calls the listener from now on."""
        self._listeners.append(listener)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), context=outside())

    async def close(self) -> None:
        """Ends the subscription."""
        await end_task(self._task)

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                await self._hear()
            except (RedisError, OSError, TimeoutError) as error:
                _log.info("redis: no stop notices just now", extra={"error": type(error).__name__})
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _hear(self) -> None:
        redis = self._client.dedicated(seconds=_WAIT_SECONDS)
        try:
            async with redis.pubsub() as channel:
                await channel.subscribe(self._client.key("stops"))
                unanswered = 0
                while unanswered < 2:
                    message = await channel.get_message(timeout=_WAIT_SECONDS)
                    unanswered = 0 if message is not None else unanswered + 1
                    if message is None:
                        # A server that has gone without a word answers no ping either.
                        await channel.ping()
                    elif message["type"] == "subscribe":
                        self.subscribed.set()
                    elif message["type"] == "message":
                        self._tell(message["data"])
        finally:
            self.subscribed.clear()
            await redis.aclose()

    def _tell(self, data: bytes) -> None:
        for listener in self._listeners:
            listener(data.decode("utf-8", "replace"))
