"""One batch of messages on its way: translated, handed on, and then acknowledged or left to come again.

Nothing is acknowledged before its event was accepted. What fails comes again, ever later. Among what has
failed often the message at fault is looked for, so that it takes no others with it; when it fails alone while
the receiver takes others, it becomes a dead letter, and is acknowledged when that was accepted. While the
receiver takes nothing it is down, and no message is at fault.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from shared.errors import BrokerUnavailableError, PublishError
from shared.events.bridge.figures import BridgeFigures
from shared.events.bridge.port import Forwarder, MessageSource, Received
from shared.events.bridge.translate import MAX_REASON, dead_letter, event_of
from shared.events.envelope import CloudEvent

_log = logging.getLogger(__name__)

# One request carries so much.
MAX_EVENTS = 500
MAX_BYTES = 3 * 1024 * 1024
# Deliveries after which it is looked for the message that is at fault.
SUSPECT_AFTER = 3
# More than it takes to find one in halves: so many failures in a row say that the receiver is down.
DOWN_AFTER = 12
# A receiver that has accepted something in this time is not down.
ALIVE_SECONDS = 30.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
WORKING_SECONDS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A message, and the event to hand on of it."""

    message: Received
    event: CloudEvent

    @property
    def is_dead(self) -> bool:
        """Whether it goes to the dead letters."""
        return self.event.undeliverable is not None


class BatchHandler:
    """Handles batches, several at once; `failures` are the receiver's in a row."""

    def __init__(
        self, *, forwarder: Forwarder, figures: BridgeFigures, max_deliveries: int, first_pause: float
    ) -> None:
        self.failures = 0
        self._forwarder = forwarder
        self._figures = figures
        self._max_deliveries = max_deliveries
        self._first_pause = first_pause
        self._last_accepted = -ALIVE_SECONDS

    async def handle(
        self, source: MessageSource, messages: tuple[Received, ...], tally: BridgeFigures
    ) -> None:
        """Hands the messages on, and counts what became of them.

        Raises:
            BrokerUnavailableError: it went away; what was accepted may come again, under the same ids.
        """
        tally.received = len(messages)
        tally.redelivered = sum(message.delivered > 1 for message in messages)
        try:
            async with _kept_in_progress(source, messages):
                await self._hand_on(source, messages, tally)
        finally:
            self._figures.add(tally)

    async def _hand_on(
        self, source: MessageSource, messages: tuple[Received, ...], tally: BridgeFigures
    ) -> None:
        translated = [(message, _event(message)) for message in messages]
        await source.accept(tuple(message for message, each in translated if each is None))
        items = [Item(message=message, event=each) for message, each in translated if each is not None]
        for part in _requests(item for item in items if item.message.delivered <= SUSPECT_AFTER):
            if await self._send(source, part, tally) is not None:
                await self._leave(source, part, tally)
        suspects = [item for item in items if item.message.delivered > SUSPECT_AFTER]
        await self._isolate(source, list(_requests(suspects)), tally)

    async def _isolate(
        self, source: MessageSource, waiting: list[tuple[Item, ...]], tally: BridgeFigures
    ) -> None:
        """Hands on what has failed often, in halves where it fails again, down to what is at fault alone."""
        failed = 0
        while waiting:
            part = waiting.pop()
            error = await self._send(source, part, tally)
            if error is not None and len(part) == 1 and self._is_poison(part[0].message, error):
                error = await self._give_up(source, part[0], error, tally)
            if error is None:
                failed = 0
                continue
            failed += 1
            if len(part) > 1 and failed < DOWN_AFTER:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
                continue
            await self._leave(source, part, tally)
            if failed >= DOWN_AFTER:
                for rest in waiting:
                    await self._leave(source, rest, tally)
                return

    async def _send(
        self, source: MessageSource, items: tuple[Item, ...], tally: BridgeFigures
    ) -> PublishError | None:
        """Hands the items on in one request; the error when nothing is known to be accepted."""
        try:
            answers = await self._forwarder.forward(tuple(item.event for item in items))
        except PublishError as error:
            self.failures += 1
            _log.warning(
                "events wait", extra={"reason": error.message, "events": len(items), "attempt": self.failures}
            )
            return error
        self.failures, self._last_accepted = 0, time.monotonic()
        pairs = list(zip(items, answers, strict=True))
        taken = [item for item, reason in pairs if reason is None]
        await source.accept(tuple(item.message for item in taken))
        tally.forwarded += sum(not item.is_dead for item in taken)
        tally.dead_lettered += sum(item.is_dead for item in taken)
        for item, reason in pairs:
            if reason is not None:
                await self._refused(source, item, reason, tally)
        return None

    async def _give_up(
        self, source: MessageSource, item: Item, error: PublishError, tally: BridgeFigures
    ) -> PublishError | None:
        reason = f"not accepted in {item.message.delivered} deliveries: {error.message}"[:MAX_REASON]
        return await self._bury(source, item.message, replace(item.event, undeliverable=reason), tally)

    async def _refused(self, source: MessageSource, item: Item, reason: str, tally: BridgeFigures) -> None:
        """What the receiver will never take goes to its dead letters; when not even that, it comes again."""
        # Its data as it is was refused: the letter holds the payload as text.
        letter = dead_letter(item.message, reason)
        if item.is_dead or await self._bury(source, item.message, letter, tally) is not None:
            _log.error("dead letter not taken", extra={"event_id": item.event.id, "reason": reason})
            await self._leave(source, (item,), tally)

    async def _bury(
        self, source: MessageSource, message: Received, letter: CloudEvent, tally: BridgeFigures
    ) -> PublishError | None:
        _log.error(
            "dead letter",
            extra={"stream": message.stream, "sequence": message.sequence, "reason": letter.undeliverable},
        )
        return await self._send(source, (Item(message=message, event=letter),), tally)

    def _is_poison(self, message: Received, error: PublishError) -> bool:
        """Whether a message that failed alone is at fault: it failed often, and its receiver is there."""
        is_there = (
            error.details.get("status") == 500 or time.monotonic() - self._last_accepted < ALIVE_SECONDS
        )
        return is_there and message.delivered >= self._max_deliveries

    async def _leave(self, source: MessageSource, items: tuple[Item, ...], tally: BridgeFigures) -> None:
        """The messages come again, each the later the more often it came."""
        tally.failed += len(items)
        by_delivery: dict[int, list[Received]] = {}
        for item in items:
            by_delivery.setdefault(item.message.delivered, []).append(item.message)
        for delivered, messages in by_delivery.items():
            await source.again(tuple(messages), seconds=self.pause(delivered))

    def pause(self, times: int) -> float:
        """How long to wait after something failed for the n-th time."""
        # Spread out, so that not all comes in the same moment; nothing secret.
        spread = random.uniform(0.5, 1)  # noqa: S311
        return spread * min(LONGEST_PAUSE, self._first_pause * float(2 ** min(times - 1, 16)))


def _event(message: Received) -> CloudEvent | None:
    try:
        return event_of(message)
    # One of the borders: what is published may be anything, and must not be tried for ever.
    except Exception:  # noqa: BLE001
        _log.exception(
            "message not translated", extra={"stream": message.stream, "sequence": message.sequence}
        )
        return dead_letter(message, "the payload cannot be read")


def _requests(items: Iterable[Item]) -> Iterator[tuple[Item, ...]]:
    """The items in requests of a bounded number and size."""
    part: list[Item] = []
    size = 0
    for item in items:
        if part and (len(part) == MAX_EVENTS or size + len(item.message.data) > MAX_BYTES):
            yield tuple(part)
            part, size = [], 0
        part.append(item)
        size += len(item.message.data)
    if part:
        yield tuple(part)


@asynccontextmanager
async def _kept_in_progress(source: MessageSource, messages: tuple[Received, ...]) -> AsyncIterator[None]:
    """Tells the broker now and then that the messages are being worked on."""

    async def tell() -> None:
        # When it is away it delivers them again, and what was accepted is known by its id.
        with suppress(BrokerUnavailableError):
            while True:
                await asyncio.sleep(WORKING_SECONDS)
                await source.working(messages)

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
