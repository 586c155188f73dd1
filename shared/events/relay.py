"""The relay: takes events from the outbox to their destinations, at least once, in the order of each session.

One process at a time publishes, by a named lease that is held for a round and no longer. Every process looks:
when it is told to (`soon`), when asked over HTTP (`drain`), and every few seconds. An event is marked as
published when each of its destinations has accepted it; until then it stays, so that a crash anywhere repeats
an event under its id and loses none.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from shared.clock import Clock
from shared.errors import AppError, PublishError
from shared.events.envelope import CloudEvent, cloud_event
from shared.events.port import Delivery, EventPublisher
from shared.sessions.account_port import NamedLeases
from shared.sessions.outbox_port import EventOutbox, OutboxLag, StoredEvent
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

LEASE = "events.relay"
# A page is sent and marked within it; a relay that was killed blocks the others for as long.
LEASE_SECONDS = 15.0
SEND_SECONDS = 10.0
PAGE = 200
IDLE_SECONDS = 5.0
# Another process publishes, or an event is under way: what it leaves behind is looked for soon.
BUSY_SECONDS = 0.5
LONGEST_PAUSE = 10.0
_FIRST_PAUSE = 0.25


class OutboxStore(EventOutbox, NamedLeases, Protocol):
    """What the relay needs of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How many events a drain published, how many wait still, and why (None: no destination failed)."""

    published: int
    waiting: int
    error: AppError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """`empty`: nothing was left. Else another process publishes, an event is under way, or `error`."""

    published: int = 0
    empty: bool = False
    error: AppError | None = None


class EventRelay:
    """The relay of one process.

    `open_store` is asked at each round, so that a store that is down at the start may come later.
    """

    def __init__(
        self,
        *,
        open_store: Callable[[], Awaitable[OutboxStore]],
        publishers: tuple[EventPublisher, ...],
        clock: Clock,
        holder: str,
        debounce_seconds: float = 0.02,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.lag: OutboxLag | None = None
        self._open_store = open_store
        self._publishers = publishers
        self._clock = clock
        self._holder = holder
        self._debounce_seconds = debounce_seconds
        self._idle_seconds = idle_seconds
        self._kicked = asyncio.Event()
        self._round_lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        # What a destination accepted of events that others have not: not sent there again.
        self._accepted: dict[str, set[int]] = {each.name: set() for each in publishers}

    def begin(self) -> None:
        """Looks every few seconds from now on, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._serve(), context=outside())

    def soon(self) -> None:
        """An event was stored in this process: looks in a moment. A failing broker is not hurried."""
        self.begin()
        self._kicked.set()

    async def drain(self, *, seconds: float) -> Drained:
        """Publishes until nothing is left, a destination fails, or about `seconds` are over.

        Raises:
            StoreUnavailableError: the outbox cannot be read.
        """
        give_up = time.monotonic() + seconds
        published, error = 0, None
        while True:
            done = await self._round(give_up)
            published, error = published + done.published, done.error
            if done.empty or error is not None or time.monotonic() >= give_up:
                break
            await asyncio.sleep(min(BUSY_SECONDS, max(0.0, give_up - time.monotonic())))
        lag = await (await self._open_store()).outbox_lag()
        return Drained(published=published, waiting=lag.waiting, error=error)

    async def check(self, name: str) -> None:
        """Returns when the destination of that name answers; raises PublishError otherwise."""
        await asyncio.gather(*(each.check() for each in self._publishers if each.name == name))

    async def close(self) -> None:
        """Stops looking; what is left goes out at the next start, or from another process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        for each in self._publishers:
            await each.close()

    async def _serve(self) -> None:
        while True:
            try:
                done = await self._round(time.monotonic() + LEASE_SECONDS)
            except AppError as error:
                done = _Round(error=error)
            # One of the borders: an outbox that stops for ever over one error would lose events silently.
            except Exception:  # noqa: BLE001
                _log.exception("relay failed")
                done = _Round(error=PublishError("the relay failed"))
            await self._rest(done)

    async def _rest(self, done: _Round) -> None:
        if done.error is not None:
            self._failures += 1
            pause = min(LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
            _log.warning(
                "events wait",
                extra={"code": done.error.code, "reason": done.error.message, "attempt": self._failures},
            )
            await asyncio.sleep(pause * _jitter())
            return
        self._failures = 0
        pause = self._idle_seconds if done.empty else BUSY_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(pause * _jitter()):
                await self._kicked.wait()
        if self._kicked.is_set():
            # What is stored together goes out together.
            await asyncio.sleep(self._debounce_seconds)
            self._kicked.clear()

    async def _round(self, give_up: float) -> _Round:
        """Publishes page by page under the lease, until nothing moves or the time is over."""
        async with self._round_lock:
            store = await self._open_store()
            done = _Round(empty=True)
            # A look costs a read; the lease, two writes.
            if await store.unpublished_events(limit=1):
                done = await self._under_lease(store, give_up)
            self.lag = OutboxLag(waiting=0, oldest=None) if done.empty else await store.outbox_lag()
            return done

    async def _under_lease(self, store: OutboxStore, give_up: float) -> _Round:
        published = 0
        try:
            while await self._have_lease(store):
                page = await store.unpublished_events(limit=PAGE)
                if not page:
                    return _Round(published=published, empty=True)
                done, error = await self._send(page)
                await store.mark_published(events=done, now=self._clock())
                self._forget(page, done)
                published += len(done)
                if error is not None or not done or time.monotonic() >= give_up:
                    return _Round(published=published, error=error)
            return _Round(published=published)
        finally:
            # Left as it is when this fails too: it runs out.
            with suppress(AppError):
                await store.drop_named_lease(name=LEASE, holder=self._holder)

    async def _have_lease(self, store: OutboxStore) -> bool:
        return await store.take_named_lease(
            name=LEASE, holder=self._holder, now=self._clock(), seconds=LEASE_SECONDS
        )

    async def _send(self, page: tuple[StoredEvent, ...]) -> tuple[tuple[StoredEvent, ...], AppError | None]:
        """Those of the page that all their destinations have accepted, and what went wrong with others."""
        events = [(stored, cloud_event(stored)) for stored in page]
        errors = await asyncio.gather(*(self._send_to(each, events) for each in self._publishers))
        done = tuple(
            stored
            for stored, event in events
            if all(
                stored.sequence in self._accepted[each.name]
                for each in self._publishers
                if each.takes(event.type)
            )
        )
        return done, next((error for error in errors if error is not None), None)

    def _forget(self, page: tuple[StoredEvent, ...], done: tuple[StoredEvent, ...]) -> None:
        """Keeps what is known of the rest of the page alone: of others it is not needed, or too much."""
        left = {stored.sequence for stored in page} - {stored.sequence for stored in done}
        for accepted in self._accepted.values():
            accepted.intersection_update(left)

    async def _send_to(
        self, publisher: EventPublisher, events: list[tuple[StoredEvent, CloudEvent]]
    ) -> AppError | None:
        accepted = self._accepted[publisher.name]
        wanted = [
            (stored, event)
            for stored, event in events
            if stored.sequence not in accepted and publisher.takes(event.type)
        ]
        if not wanted:
            return None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                delivery = await publisher.publish(tuple(event for _, event in wanted))
        except TimeoutError:
            error = PublishError(f"{publisher.name} does not answer")
            delivery = Delivery(accepted=frozenset(), error=error)
        accepted |= {stored.sequence for stored, event in wanted if event.id in delivery.accepted}
        return delivery.error


def _jitter() -> float:
    # Spread out, so that processes do not all look in the same moment; nothing secret.
    return random.uniform(0.5, 1)  # noqa: S311
