"""Reads the streams of all listeners of a process over one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.agent.bus import rest_of
from shared.agent.updates import Position, Update
from shared.ids import new_id
from shared.redis.announcer import TurnName
from shared.redis.client import RedisClient, RedisGoneError
from shared.redis.frames import Frame, UnreadableFrameError, read_frame
from shared.redis.tasks import end_task
from shared.sessions.codec import Codec
from shared.tracing.context import outside

if TYPE_CHECKING:
    from redis.asyncio import Redis

_BLOCK_SECONDS = 1.0
_BACKLOG_SECONDS = 1.0
_MARGIN_SECONDS = 0.5
_ENTRIES = 256
# Frames that a reader may be behind before it is sent to the record.
_MAX_BEHIND = 2048
_WAKE_KEY_SECONDS = 3600


class _Listener:
    """Frames for one reader; None ends it."""

    __slots__ = ("_ended", "_frames")

    def __init__(self) -> None:
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._ended = False

    def put(self, frame: Frame) -> None:
        if self._frames.qsize() >= _MAX_BEHIND:
            self.end()
        elif not self._ended:
            self._frames.put_nowait(frame)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._frames.put_nowait(None)

    async def take(self, silence: float) -> list[Frame | None]:
        """What is there, at least one; empty after `silence` seconds of nothing."""
        try:
            async with asyncio.timeout(silence):
                found = [await self._frames.get()]
        except TimeoutError:
            return []
        while not self._frames.empty():
            found.append(self._frames.get_nowait())
        return found


@dataclass(slots=True)
class _Group:
    """The listeners of one turn, and the id of the last entry that was read for them."""

    name: TurnName
    last_id: bytes = b"0-0"
    listeners: set[_Listener] = field(default_factory=set)

    def end(self) -> None:
        for listener in self.listeners:
            listener.end()


class Listening:
    """The reading half of the bus: one XREAD for all turns, interrupted when a turn joins."""

    def __init__(self, client: RedisClient, codec: Codec) -> None:
        self._client = client
        self._codec = codec
        self._groups: dict[bytes, _Group] = {}
        self._wake_key = client.key("wake", new_id()).encode()
        self._wake_id = b"0-0"
        self._blocking = False
        self._task: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None

    async def listen(
        self, name: TurnName, after: Position, silence: float
    ) -> AsyncIterator[tuple[Update, ...]]:
        """See `TurnBus.listen`."""
        key, listener = self._client.key("turn", *name).encode(), _Listener()
        group = self._groups.get(key)
        is_new = group is None
        if group is None:
            group = self._groups[key] = _Group(name)
        group.listeners.add(listener)
        try:
            try:
                backlog = await self._join(key, name, is_new=is_new)
            except (RedisGoneError, UnreadableFrameError):
                return
            follower = _Follower(after)
            while not follower.ended:
                frames: list[Frame | None] = backlog or await listener.take(silence)
                backlog = []
                updates = follower.fresh(frames)
                if updates or (not frames and not follower.ended):
                    yield updates
        finally:
            group.listeners.discard(listener)
            if not group.listeners and self._groups.get(key) is group:
                del self._groups[key]

    async def close(self) -> None:
        """Ends all listeners."""
        await end_task(self._waking)
        await end_task(self._task)

    async def _join(self, key: bytes, name: TurnName, *, is_new: bool) -> list[Frame | None]:
        """Has the reader read the new turn's stream; for one that is read already, what was read before."""
        if self._task is None:
            self._task = asyncio.create_task(self._read(), context=outside())
        if is_new:
            if self._blocking and self._waking is None:
                self._waking = asyncio.create_task(self._wake(), context=outside())
            return []
        entries = await self._client.call(lambda redis: redis.xrange(key), seconds=_BACKLOG_SECONDS)
        return list(self._frames(name, entries))

    async def _wake(self) -> None:
        """Ends the read that blocks, for all turns that have joined; if it fails, its time ends it."""

        async def write(redis: Redis) -> None:
            pipe = redis.pipeline(transaction=False)
            pipe.xadd(self._wake_key, {"w": b""}, maxlen=1, approximate=False)
            pipe.expire(self._wake_key, _WAKE_KEY_SECONDS)
            await pipe.execute()

        try:
            with contextlib.suppress(RedisGoneError):
                await self._client.call(write)
        finally:
            self._waking = None

    async def _read(self) -> None:
        from redis.exceptions import RedisError

        redis = self._client.dedicated(seconds=_BLOCK_SECONDS + _MARGIN_SECONDS)
        try:
            while self._groups:
                self._hand_out(await self._next(redis))
        except (RedisError, OSError, TimeoutError) as error:
            self._client.lost(error)
        finally:
            # From here on a listener that comes starts a reader of its own.
            self._task, self._blocking = None, False
            for group in self._groups.values():
                group.end()
            self._groups.clear()
            await redis.aclose()

    async def _next(self, redis: Any) -> Any:
        streams = {self._wake_key: self._wake_id}
        streams.update((key, group.last_id) for key, group in self._groups.items())
        self._blocking = True
        try:
            return await redis.xread(streams, count=_ENTRIES, block=round(_BLOCK_SECONDS * 1000))
        finally:
            self._blocking = False

    def _hand_out(self, reply: Any) -> None:
        for key, entries in reply:
            if key == self._wake_key:
                self._wake_id = entries[-1][0]
                continue
            group = self._groups.get(key)
            if group is None:
                continue
            group.last_id = entries[-1][0]
            try:
                for frame in self._frames(group.name, entries):
                    for listener in group.listeners:
                        listener.put(frame)
            except UnreadableFrameError:
                group.end()

    def _frames(self, name: TurnName, entries: Any) -> Iterable[Frame]:
        user_id, turn_id = name
        for _, fields in entries:
            yield read_frame(fields.get(b"f", b""), codec=self._codec, user_id=user_id, turn_id=turn_id)


class _Follower:
    """One reader's place in the turn: what is new to it, and whether it can go on."""

    def __init__(self, after: Position) -> None:
        self._at = after
        self.ended = False

    def fresh(self, frames: Iterable[Frame | None]) -> tuple[Update, ...]:
        """The updates after its place, up to the first gap or to the turn's end."""
        found: list[Update] = []
        for frame in frames:
            if frame is None or frame.follows > self._at:
                self.ended = True
                break
            for update in frame.updates:
                rest = rest_of(update, self._at)
                if rest is None:
                    continue
                found.append(rest)
                self._at = rest.at
                self.ended = self.ended or rest.type in ("complete", "error")
        return tuple(found)
