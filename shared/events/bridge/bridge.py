"""The bridge of one process: follows every stream until it is stopped, or drains them for a bounded time."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from shared.errors import BrokerUnavailableError
from shared.events.bridge.figures import BridgeFigures
from shared.events.bridge.handling import FIRST_PAUSE, BatchHandler
from shared.events.bridge.port import Forwarder, MessageBroker, MessageSource, Received
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

# Of one stream: messages of a batch, and batches under way at once. More waits in the broker.
BATCH = 250
AT_ONCE = 4
TAKE_SECONDS = 5.0
# A drain that finds nothing in this time has found all.
DRAIN_SECONDS = 1.0
# News of streams come at once; this is for a broker that keeps them from us.
LOOK_SECONDS = 5.0
STOP_SECONDS = 5.0
CANCEL_SECONDS = 0.2


class Bridge:
    """Takes messages from the broker's streams, a batch at a time, and hands them on.

    `figures` count what was done since the start; their `lag` is what the last look at the broker found.
    """

    def __init__(
        self,
        *,
        broker: MessageBroker,
        forwarder: Forwarder,
        max_deliveries: int,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.figures = BridgeFigures()
        self._broker = broker
        self._forwarder = forwarder
        self._handler = BatchHandler(
            forwarder=forwarder,
            figures=self.figures,
            max_deliveries=max_deliveries,
            first_pause=first_pause,
        )
        self._error: BrokerUnavailableError | None = BrokerUnavailableError("NATS was not asked yet")
        self._serving: asyncio.Task[None] | None = None
        self._followed: dict[MessageSource, asyncio.Task[None]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Follows the streams from now on, in the background; a broker that is away is waited for."""
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), context=outside())

    async def drain(self, *, seconds: float) -> BridgeFigures:
        """Handles what waits until nothing does, the receiver fails, or about `seconds` are over.

        Raises:
            BrokerUnavailableError: the broker is away.
        """
        give_up = time.monotonic() + seconds
        sources = await self._broker.sources()
        tally = BridgeFigures()
        results = await asyncio.gather(
            *(self._drain(source, give_up, tally) for source in sources), return_exceptions=True
        )
        for result in results:
            # What was taken until then is told all the same; with nothing done there is only the failure.
            if isinstance(result, BaseException) and not (
                isinstance(result, BrokerUnavailableError) and tally.received
            ):
                raise result
        return tally

    async def look(self) -> int:
        """The lag now: messages of all streams that wait, or are under way.

        Raises:
            BrokerUnavailableError: the broker is away.
        """
        try:
            sources = await self._broker.sources()
            self.figures.lag = sum([await source.lag() for source in sources])
        except BrokerUnavailableError as error:
            self.figures.lag, self._error = None, error
            raise
        self._error = None
        if self._serving is not None:
            self._follow_all(sources)
        return self.figures.lag

    async def check(self) -> None:
        """Returns when the broker answers, or did a moment ago; raises BrokerUnavailableError otherwise."""
        if self._serving is None:
            await self.look()
        elif self._error is not None:
            raise self._error

    async def check_receiver(self) -> None:
        """Raises PublishError when the last that was heard of the receiver is a failure."""
        await self._forwarder.check()

    async def close(self) -> None:
        """Takes no more, ends what is under way, for some seconds, and lets go of everything."""
        serving, self._serving = self._serving, None
        followed, self._followed = self._followed, {}
        await _end({*filter(None, (serving,)), *followed.values()})
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=STOP_SECONDS)
        await _end({*self._under_way})
        await self._forwarder.close()
        await self._broker.close()

    async def _serve(self) -> None:
        failures = 0
        while self._serving is not None:
            try:
                await self.look()
                failures = 0
                await self._broker.changed(seconds=LOOK_SECONDS)
            except BrokerUnavailableError as error:
                failures += 1
                _log.warning("waits for the broker", extra={"reason": error.message, "attempt": failures})
                await asyncio.sleep(self._handler.pause(failures) / 2)
            # One of the borders: a bridge that stops for ever over one error would lose events silently.
            except Exception:  # noqa: BLE001
                _log.exception("bridge failed")
                failures += 1
                await asyncio.sleep(self._handler.pause(failures))

    def _follow_all(self, sources: tuple[MessageSource, ...]) -> None:
        for source in [each for each in self._followed if each not in sources]:
            self._followed.pop(source).cancel()
        for source in sources:
            if source not in self._followed or self._followed[source].done():
                self._followed[source] = asyncio.create_task(self._follow(source))

    async def _follow(self, source: MessageSource) -> None:
        """Takes batch after batch; ends when the broker is away, and is begun anew by the next look."""
        slots = asyncio.Semaphore(AT_ONCE)
        with suppress(BrokerUnavailableError):
            while source in self._followed:
                await slots.acquire()
                messages: tuple[Received, ...] = ()
                try:
                    messages = await source.take(limit=BATCH, seconds=TAKE_SECONDS)
                finally:
                    if not messages:
                        slots.release()
                if messages:
                    task = asyncio.create_task(self._handle(source, messages))
                    self._under_way.add(task)
                    task.add_done_callback(self._under_way.discard)
                    task.add_done_callback(lambda _: slots.release())
                if self._handler.failures:
                    await asyncio.sleep(self._handler.pause(self._handler.failures))

    async def _handle(self, source: MessageSource, messages: tuple[Received, ...]) -> None:
        try:
            await self._handler.handle(source, messages, BridgeFigures())
        except BrokerUnavailableError as error:
            _log.warning("messages come again", extra={"reason": error.message, "messages": len(messages)})
        # One of the borders: the messages come again when their time is over.
        except Exception:  # noqa: BLE001
            _log.exception("batch failed")

    async def _drain(self, source: MessageSource, give_up: float, tally: BridgeFigures) -> None:
        while (left := give_up - time.monotonic()) > 0:
            messages = await source.take(limit=BATCH, seconds=min(left, DRAIN_SECONDS))
            if not messages:
                return
            done = BridgeFigures()
            try:
                await self._handler.handle(source, messages, done)
            finally:
                tally.add(done)
            if done.failed and not done.forwarded:
                return


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    while tasks:
        for task in tasks:
            task.cancel()
        # The client of NATS loses a cancellation that comes while it sends: asked again, it ends.
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
