"""The bus over Redis Streams: each turn has a stream of sealed frames, which runs out by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from shared.agent.bus import StopListener
from shared.agent.updates import START, Position, Update
from shared.redis.announcer import Announcer
from shared.redis.client import RedisClient
from shared.redis.listening import Listening
from shared.redis.stops import StopNotices
from shared.sessions.codec import Codec


class RedisBus:
    """The `TurnBus` of a deployment with REDIS_URL."""

    def __init__(self, client: RedisClient) -> None:
        codec = Codec(client.keyring)
        self._announcer = Announcer(client, codec)
        self._listening = Listening(client, codec)
        self._stops = StopNotices(client)

    def announce(self, *, turn_id: str, user_id: str, updates: Sequence[Update]) -> None:
        self._announcer.add((user_id, turn_id), updates)

    def listen(
        self, *, turn_id: str, user_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        return self._listening.listen((user_id, turn_id), after, silence)

    def announce_stop(self, *, turn_id: str) -> None:
        self._announcer.stop(turn_id)

    def on_stop(self, listener: StopListener) -> None:
        self._stops.add(listener)

    async def hears_stops(self) -> None:
        """Returns when the subscription to stop notices stands."""
        await self._stops.subscribed.wait()

    async def close(self) -> None:
        await self._announcer.close()
        await self._listening.close()
        await self._stops.close()
