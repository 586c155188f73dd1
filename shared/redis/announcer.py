"""Sends announced updates to Redis: queued in memory, written together by one task of the process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from shared.agent.updates import START, Position, Update
from shared.redis.client import RedisClient, RedisGoneError
from shared.redis.frames import Frame, write_frames
from shared.redis.tasks import end_task
from shared.sessions.codec import Codec
from shared.tracing.context import outside

if TYPE_CHECKING:
    from redis.asyncio import Redis

COALESCE_SECONDS = 0.005
"""How long an update waits for others to travel with."""

# Nobody waits for it, and a busy process must not take itself for a dead server.
_FLUSH_SECONDS = 1.0
_MAX_WAITING = 20_000
_MAX_TURNS = 10_000
_MAX_ENTRIES = 8192
_RUNNING_SECONDS = 900
# A reader that comes later finds the whole turn in the record.
_ENDED_SECONDS = 60

TurnName = tuple[str, str]
"""A user's id and a turn's."""


@dataclass(slots=True)
class _Waiting:
    """What one turn has to send."""

    follows: Position
    updates: list[Update] = field(default_factory=list)


class Announcer:
    """The writing half of the bus. Dropping is safe: a frame says what it follows, so a gap shows."""

    def __init__(self, client: RedisClient, codec: Codec) -> None:
        self._client = client
        self._codec = codec
        self._waiting: dict[TurnName, _Waiting] = {}
        self._count = 0
        self._stops: list[str] = []
        self._last: OrderedDict[TurnName, Position] = OrderedDict()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, name: TurnName, updates: Sequence[Update]) -> None:
        """Queues the updates, behind those of the turn that wait already."""
        if not updates:
            return
        if self._count + len(updates) > _MAX_WAITING or self._client.breaker.is_waiting:
            dropped = self._waiting.pop(name, None)
            self._count -= len(dropped.updates) if dropped else 0
        else:
            waiting = self._waiting.get(name)
            if waiting is None:
                waiting = self._waiting[name] = _Waiting(self._follows(name, updates[0]))
            waiting.updates.extend(updates)
            self._count += len(updates)
        self._remember(name, updates[-1])
        self._start()

    def stop(self, turn_id: str) -> None:
        """Queues a notice that the turn was stopped."""
        if len(self._stops) < _MAX_WAITING:
            self._stops.append(turn_id)
        self._start()

    async def close(self) -> None:
        """Ends the task; what waits is lost."""
        await end_task(self._task)

    def _follows(self, name: TurnName, first: Update) -> Position:
        if first.type == "session":
            return START
        # Not known, so it fits only readers who have come that far by themselves.
        return self._last.get(name, first.at)

    def _remember(self, name: TurnName, last: Update) -> None:
        self._last.pop(name, None)
        if last.type in ("complete", "error"):
            return
        self._last[name] = last.at
        if len(self._last) > _MAX_TURNS:
            self._last.popitem(last=False)

    def _start(self) -> None:
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), context=outside())

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(COALESCE_SECONDS)
            self._wake.clear()
            waiting, self._waiting, self._count = self._waiting, {}, 0
            stops, self._stops = self._stops, []
            if not waiting and not stops:
                continue
            try:
                await self._client.call(
                    partial(self._send, waiting=waiting, stops=stops), seconds=_FLUSH_SECONDS
                )
            except RedisGoneError:
                # The client has logged it; readers see the gap and take the record.
                continue

    async def _send(self, redis: Redis, *, waiting: dict[TurnName, _Waiting], stops: list[str]) -> None:
        pipe = redis.pipeline(transaction=False)
        for (user_id, turn_id), one in waiting.items():
            frame = Frame(one.follows, tuple(one.updates))
            key = self._client.key("turn", user_id, turn_id)
            for body in write_frames(frame, codec=self._codec, user_id=user_id, turn_id=turn_id):
                pipe.xadd(key, {"f": body}, maxlen=_MAX_ENTRIES, approximate=True)
            ended = frame.updates[-1].type in ("complete", "error")
            pipe.expire(key, _ENDED_SECONDS if ended else _RUNNING_SECONDS)
        for turn_id in stops:
            pipe.publish(self._client.key("stops"), turn_id)
        await pipe.execute()
