"""Bots that nobody knew when their events came: the platform may be quicker than our record of a deployment.

Their letters are read again as soon as a session has deployed the bot: looked for a few times, ever later,
and when an event of a bot is applied for the first time here.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from functions.events.addressing import BotSessions
from functions.events.intake import Intake, Taken
from shared.errors import AppError
from shared.sessions.port import Store
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

# How long after its event a bot is looked for.
DELAYS = (1.0, 5.0, 30.0, 300.0)
_MOST_WAITING = 1000
_MOST_SEEN = 50_000
_MOST_LETTERS = 100


class LateBots:
    """The bots of one process whose letters are to be read again."""

    def __init__(
        self,
        *,
        store: Store,
        intake: Intake,
        bots: BotSessions,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._store = store
        self._intake = intake
        self._bots = bots
        self._delays = tuple(delays)
        self._due: list[tuple[float, int, str]] = []
        self._waiting: set[str] = set()
        self._seen: set[str] = set()
        self._added = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def notice(self, taken: Sequence[Taken]) -> None:
        """Looks at what was taken in: a bot may be unknown, or known for the first time."""
        for each in taken:
            if each.bot_id is None or each.bot_id in self._waiting or len(self._waiting) >= _MOST_WAITING:
                continue
            if each.status == "unknown_bot":
                self._wait_for(each.bot_id, 0)
            elif each.status == "applied" and each.bot_id not in self._seen:
                # Its first event here: an earlier one may have come before the bot was known.
                if len(self._seen) >= _MOST_SEEN:
                    self._seen.clear()
                self._seen.add(each.bot_id)
                self._wait_for(each.bot_id, len(self._delays))
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._serve(), context=outside())

    async def close(self) -> None:
        """Looks no more; the letters stay."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _wait_for(self, bot_id: str, attempt: int) -> None:
        delay = self._delays[attempt] if attempt < len(self._delays) else 0.0
        self._waiting.add(bot_id)
        heapq.heappush(self._due, (time.monotonic() + delay, attempt, bot_id))
        self._added.set()

    async def _serve(self) -> None:
        while self._due:
            seconds = self._due[0][0] - time.monotonic()
            if seconds > 0:
                # Another bot may be due before this one.
                self._added.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._added.wait()
                continue
            _, attempt, bot_id = heapq.heappop(self._due)
            self._waiting.discard(bot_id)
            try:
                is_known = await self._look(bot_id)
            except AppError as error:
                _log.warning("letters of a bot not read again", extra={"code": error.code})
                is_known = False
            if not is_known and attempt + 1 < len(self._delays):
                self._wait_for(bot_id, attempt + 1)

    async def _look(self, bot_id: str) -> bool:
        """Reads the bot's letters again when a session has deployed it; whether one has."""
        if not (await self._bots.of(frozenset((bot_id,)), anew=True))[bot_id]:
            return False
        letters = await self._store.dead_letters_of_bot(bot_id=bot_id, limit=_MOST_LETTERS)
        mine = [each for each in letters if each.reason == "unknown_bot" and "truncated" not in each.payload]
        if mine:
            await self._intake.replay(mine)
        return True
