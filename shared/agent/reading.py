"""Reading turns: live where they run here, from the record and the bus where they run elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from shared.agent.bus import TurnBus
from shared.agent.local import LocalTurns
from shared.agent.updates import (
    START,
    CompleteUpdate,
    ErrorUpdate,
    Position,
    Update,
    replay,
    unrecorded_end,
)
from shared.errors import TurnNotFoundError, TurnRolledBackError, UnavailableError
from shared.sessions.turn_port import TurnStore
from shared.turn import Turn

_SHORTEST, _LONGEST = 0.1, 1.0
_LOOK_SECONDS = 2.0


class _Place:
    """Where a reader is: the last update it was given, and how long it has waited for more."""

    def __init__(self, *, at: Position) -> None:
        self.at = at
        self.known = False
        self.ended = False
        self._pause = _SHORTEST
        self._heard = self._rested = time.monotonic()

    def passed(self, updates: tuple[Update, ...]) -> tuple[Update, ...]:
        """The same updates, noted as given."""
        self._heard = time.monotonic()
        if updates:
            self.at = updates[-1].at
            self.ended = isinstance(updates[-1], CompleteUpdate | ErrorUpdate)
            self._pause = _SHORTEST
        return updates

    def silent_for(self, silence: float) -> bool:
        """Whether nothing came for so many seconds; the count begins again then."""
        if time.monotonic() - self._heard < silence:
            return False
        self._heard = time.monotonic()
        return True

    async def rest(self, at_most: float) -> None:
        """Waits before the record is looked at again: longer each time, less what was waited already."""
        left = min(self._pause, at_most) - (time.monotonic() - self._rested)
        if left > 0:
            await asyncio.sleep(left)
        self._rested = time.monotonic()
        self._pause = min(self._pause * 1.5, _LONGEST)


class TurnReader:
    """Tells the updates of any turn of the user, exactly the rest after a position, on any instance."""

    def __init__(self, *, store: TurnStore, held: LocalTurns, bus: TurnBus) -> None:
        self._store = store
        self._held = held
        self._bus = bus
        self._closing = False

    def close(self) -> None:
        """Turns that run elsewhere are no longer waited for."""
        self._closing = True

    async def follow(
        self, *, user_id: str, turn_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """The updates after a position, until the turn has ended or pauses for the user's yes.

        Those that are there come together; an empty tuple stands for every `silence` seconds in which
        nothing came.

        Raises:
            TurnNotFoundError: the user has no such turn.
            TurnRolledBackError: it was removed while it was read.
            UnavailableError: this process stops; take the stream up again from the last id.
        """
        place = _Place(at=after)
        while not place.ended:
            local = self._held.of_user(user_id, turn_id)
            if local is not None:
                async for updates in local.feed.follow(place.at, silence=silence):
                    yield place.passed(updates)
                if place.ended:
                    return
                # It paused, or left this process: the record knows.
                await local.ended.wait()
            turn = await self._load(user_id, turn_id, known=place.known or local is not None)
            place.known = True
            if updates := self._news(turn, place.at):
                yield place.passed(updates)
            if turn.status not in ("waiting", "running"):
                return
            async with aclosing(self._elsewhere(user_id, turn_id, place.at)) as heard:
                async for updates in heard:
                    yield place.passed(updates)
            if place.silent_for(silence):
                yield ()
            if not place.ended:
                await place.rest(silence)

    async def _elsewhere(
        self, user_id: str, turn_id: str, after: Position
    ) -> AsyncGenerator[tuple[Update, ...], None]:
        """What the bus carries, until it has been silent for a while: then the record is looked at again."""
        if self._closing:
            raise UnavailableError("this instance stops; take the stream up again", retry_after=1)
        heard = self._bus.listen(turn_id=turn_id, user_id=user_id, after=after, silence=_LOOK_SECONDS)
        async with aclosing(cast("AsyncGenerator[tuple[Update, ...], None]", heard)) as updates:
            async for news in updates:
                if not news:
                    return
                yield news

    async def wait(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn when it has ended or pauses, wherever it runs.

        Raises:
            TurnNotFoundError, TurnRolledBackError, UnavailableError: as `follow`.
            StoreUnavailableError: the turn's end could not be recorded.
        """
        pause, known = _SHORTEST, False
        while True:
            local = self._held.of_user(user_id, turn_id)
            if local is not None:
                known = True
                # The turn goes on when its client does not.
                await local.ended.wait()
                if local.run is not None and local.run.record.turn.final is not None:
                    return local.run.record.turn
                if local.run is not None and local.run.unrecorded is not None:
                    raise local.run.unrecorded
            turn = await self._load(user_id, turn_id, known=known)
            if turn.status not in ("waiting", "running"):
                return turn
            known = True
            if self._closing:
                raise UnavailableError("this instance stops; repeat the request", retry_after=1)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST)

    async def _load(self, user_id: str, turn_id: str, *, known: bool) -> Turn:
        try:
            return await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        except TurnNotFoundError:
            if known:
                raise TurnRolledBackError(
                    "this turn is gone: a newer message removed it, or its session was deleted",
                    turn_id=turn_id,
                ) from None
            raise

    @staticmethod
    def _news(turn: Turn, at: Position) -> tuple[Update, ...]:
        end = unrecorded_end(turn)
        ending: tuple[Update, ...] = (end,) if end is not None and end.at > at else ()
        return (*replay(turn, at), *ending)
