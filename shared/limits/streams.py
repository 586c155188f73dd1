"""How many streams a user has open at once, counted across instances by leases of numbered places."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from shared.clock import Clock
from shared.errors import AppError, RateLimitedError
from shared.ids import NewId
from shared.sessions.account_port import NamedLeases
from shared.tracing.context import outside

LEASE_SECONDS = 90.0

_RETRY_SECONDS = 5.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class StreamPlace:
    """One stream's place among the user's open streams; freed by `release`, or when `over` ends."""

    def __init__(self, streams: OpenStreams, user_id: str, number: int | None, holder: str) -> None:
        """`number` None: streams are not limited, and nothing is held."""
        self.user_id = user_id
        self.number = number
        self.holder = holder
        self.is_lost = False
        self.free_at = datetime.min.replace(tzinfo=UTC)
        self._streams = streams

    async def over(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        """The items, with the place held until they end or are closed.

        Raises:
            RateLimitedError: the place was lost, as this process stood still for longer than its lease.
        """
        self._streams.keep(self)
        try:
            # What streams are made of is always a generator; its end is to come before the place is free.
            async with aclosing(cast(AsyncGenerator[T], items)) as source:
                async for item in source:
                    if self.is_lost:
                        raise RateLimitedError(
                            "another stream of yours took this one's place", retry_after=_RETRY_SECONDS
                        )
                    yield item
        finally:
            await self.release()

    async def release(self) -> None:
        """Frees the place; does nothing when it is free."""
        await self._streams.release(self)


class OpenStreams:
    """Gives each open stream of a user one of `most` places; one a process, right across instances.

    A place is a named lease in the store. It is renewed while its stream is read, so that the place of a
    process that died, or of a stream that nobody began to read, is free after 90 seconds.
    """

    def __init__(
        self,
        *,
        leases: NamedLeases,
        most: int | None,
        clock: Clock,
        new_id: NewId,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`most` None: any number, and nothing is written."""
        self._leases = leases
        self._most = most
        self._clock = clock
        self._new_id = new_id
        self._sleep = sleep
        self._held: dict[str, StreamPlace] = {}
        self._kept: set[StreamPlace] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def open(self, user_id: str) -> StreamPlace:
        """A place for one more stream of the user.

        Raises:
            RateLimitedError: all places are taken.
            StoreUnavailableError: whether they are cannot be known now.
        """
        if self._most is None:
            return StreamPlace(self, user_id, None, "")
        holder = self._new_id()
        # Instances begin at different places, so that they seldom try one another's.
        first = random.randrange(self._most)  # noqa: S311 (nothing secret depends on it)
        for step in range(self._most):
            number = (first + step) % self._most
            name = _name(user_id, number)
            if self._is_ours(name):
                continue
            place = self._held[name] = StreamPlace(self, user_id, number, holder)
            # Ours already while it is being taken, so that nothing else here tries the same.
            place.free_at = self._clock() + timedelta(seconds=LEASE_SECONDS)
            taken = False
            try:
                taken = await self._take(place)
            finally:
                if not taken:
                    del self._held[name]
            if taken:
                return place
        raise RateLimitedError(
            f"you have {self._most} streams open, which is all you may have", retry_after=_RETRY_SECONDS
        )

    def keep(self, place: StreamPlace) -> None:
        """Renews the place's lease from now on until it is released."""
        if place.number is None:
            return
        self._kept.add(place)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_for_ever(), context=outside())

    async def release(self, place: StreamPlace) -> None:
        """Frees the place."""
        self._kept.discard(place)
        if place.number is None or self._held.get(name := _name(place.user_id, place.number)) is not place:
            return
        try:
            await self._leases.drop_named_lease(name=name, holder=place.holder)
        except AppError as error:
            _log.warning("a stream's place is freed only when its lease runs out", extra={"code": error.code})
        finally:
            self._held.pop(name, None)

    async def renew(self) -> None:
        """Renews the places of the streams that are being read; one that another has taken is lost."""
        for place in list(self._kept):
            try:
                if not await self._take(place):
                    place.is_lost = True
                    self._kept.discard(place)
            except AppError as error:
                _log.warning("a stream's place is not renewed", extra={"code": error.code})

    async def close(self) -> None:
        """Stops renewing; what is held runs out."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})

    def _is_ours(self, name: str) -> bool:
        """Whether the place is taken here; one whose stream nobody began to read is free with its lease."""
        held = self._held.get(name)
        return held is not None and (held in self._kept or held.free_at > self._clock())

    async def _take(self, place: StreamPlace) -> bool:
        assert place.number is not None
        return await self._leases.take_named_lease(
            name=_name(place.user_id, place.number),
            holder=place.holder,
            now=self._clock(),
            seconds=LEASE_SECONDS,
        )

    async def _renew_for_ever(self) -> None:
        while self._kept:
            await self._sleep(LEASE_SECONDS / 3)
            await self.renew()
        self._renewing = None


def _name(user_id: str, number: int) -> str:
    user = hashlib.sha256(user_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"stream:{user[:32]}:{number}"
