"""The live updates of a turn that runs in this process, for any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from shared.agent.updates import START, ContentUpdate, Position, Update


class TurnFeed:
    """An append-only list of updates that readers follow from any position.

    A reader that goes away costs the turn nothing; one that comes late misses nothing.
    """

    __slots__ = ("_closed", "_tell", "_updates", "_waiters")

    def __init__(self) -> None:
        self._tell: Callable[[Update], None] | None = None
        self._updates: list[Update] = []
        self._waiters: list[asyncio.Future[bool]] = []
        self._closed = False

    def tell(self, listener: Callable[[Update], None]) -> None:
        """Passes what is sent from now on to a listener too: the way to readers elsewhere."""
        self._tell = listener

    def send(self, update: Update, *, here_only: bool = False) -> None:
        """Adds an update and wakes the readers; `here_only` keeps it from readers elsewhere."""
        self._updates.append(update)
        if self._tell is not None and not here_only:
            self._tell(update)
        self._wake()

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True
        self._wake()

    async def follow(
        self, after: Position = START, *, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """The updates after a position, until the turn ends here; those that are there come together.

        An empty tuple stands for every `silence` seconds in which nothing came.
        """
        index = 0
        loop = asyncio.get_running_loop()
        while True:
            if index < len(self._updates):
                fresh = [_rest(update, after) for update in self._updates[index:]]
                index += len(fresh)
                if batch := tuple(update for update in fresh if update is not None):
                    yield batch
                continue
            if self._closed:
                return
            waiter = loop.create_future()
            self._waiters.append(waiter)
            timer = loop.call_later(silence, _silent, waiter)
            try:
                if await waiter:
                    yield ()
            finally:
                timer.cancel()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(False)


def _silent(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(True)


def _rest(update: Update, after: Position) -> Update | None:
    """The update, or the part of its text that lies after the position."""
    if update.at <= after:
        return None
    if isinstance(update, ContentUpdate) and update.at.step == after.step:
        return ContentUpdate(update.at, update.content[-(update.at.offset - after.offset) :])
    return update
