"""Upkeep of the store, by one process at a time, in small steps.

Turns that died with their process and that nobody came back to are ended, so that their events go out; what
is over is removed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable

from shared.clock import Clock
from shared.errors import AppError
from shared.sessions.port import Store
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

LEASE = "upkeep"
PAUSE_SECONDS = 600.0
STEP = 500
_LEASE_SECONDS = 60.0
# Between steps, so that those who serve users come first.
_BREATH_SECONDS = 0.2


class Upkeep:
    """Ends dead turns and removes what is over, about every ten minutes while its process serves."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        holder: str,
        let_go: Callable[[], object] = lambda: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._holder = holder
        self._let_go = let_go
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Sets it going in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._serve(), context=outside())

    async def run(self, *, seconds: float = math.inf) -> int:
        """Does what there is to do now; how many records it removed, 0 also when another process is at it.

        After `seconds` no further step is begun.

        Raises:
            StoreUnavailableError: what was done before stays done.
        """
        removed = 0
        end = time.monotonic() + seconds
        while await self._store.take_named_lease(
            name=LEASE, holder=self._holder, now=self._clock(), seconds=_LEASE_SECONDS
        ):
            ended = await self._store.interrupt_dead(now=self._clock(), limit=STEP)
            if ended:
                _log.warning("turns had died with their process", extra={"turns": ended})
                self._let_go()
            step = await self._store.tidy(now=self._clock(), limit=STEP)
            removed += step
            if (step < STEP and ended < STEP) or time.monotonic() >= end:
                await self._store.drop_named_lease(name=LEASE, holder=self._holder)
                break
            await self._sleep(_BREATH_SECONDS)
        return removed

    async def close(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _serve(self) -> None:
        while True:
            # Spread out, so that instances which began together do not come together; nothing secret.
            await self._sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            try:
                removed = await self.run()
            except AppError as error:
                _log.warning("upkeep not done", extra={"code": error.code})
            else:
                _log.info("upkeep done", extra={"removed": removed})
