"""Keeps the leases of the turns that run here, and stops a turn that lost its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from shared.agent.local import LocalTurn, LocalTurns
from shared.errors import SessionConflictError, StoreUnavailableError
from shared.sessions.turn_port import TurnStore
from shared.tracing.context import outside

_log = logging.getLogger(__name__)

# How soon an instance notices that its turn was cancelled or taken over elsewhere: one query for all turns.
LOOK_SECONDS = 1.0
# Three renewals a lease: one may fail, and one be late.
_RENEWALS = 3


class LeaseWatch:
    """One task a process, while turns run."""

    def __init__(self, *, store: TurnStore, held: LocalTurns, lease_seconds: float) -> None:
        self._store = store
        self._held = held
        self._look_seconds = min(LOOK_SECONDS, lease_seconds / _RENEWALS)
        self._looks_a_renewal = int(lease_seconds / _RENEWALS / self._look_seconds)
        self._task: asyncio.Task[None] | None = None
        self._hint = asyncio.Event()

    def look_soon(self, turn_id: str) -> None:
        """A turn is said to have been stopped elsewhere: look now, if it runs here."""
        if any(turn.turn_id == turn_id for turn in self._held.running()):
            self._hint.set()

    def begin(self) -> None:
        """A turn runs: watch, if nobody does."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), context=outside())

    def close(self) -> None:
        """Nothing runs any more."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self) -> None:
        looks = 0
        while self._held.running():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_seconds):
                    await self._hint.wait()
            if self._hint.is_set():
                self._hint.clear()
            else:
                looks += 1
            try:
                if looks < self._looks_a_renewal:
                    await self._look()
                else:
                    looks = 0
                    await self._renew()
            except StoreUnavailableError as error:
                _log.warning("leases not watched", extra={"code": error.code})
        self._task = None

    async def _look(self) -> None:
        by_lease = {turn.run.record.lease: turn for turn in self._held.running() if turn.run is not None}
        for lease in await self._store.lost_leases(leases=tuple(by_lease)):
            _leave(by_lease[lease])

    async def _renew(self) -> None:
        for turn in self._held.running():
            assert turn.run is not None
            try:
                await turn.run.record.renew_lease()
            except SessionConflictError:
                _leave(turn)


def _leave(turn: LocalTurn) -> None:
    # A turn that is just being ended or paused has let its lease go by itself.
    if turn.run is not None and turn.run.record.is_open:
        turn.abandon()
