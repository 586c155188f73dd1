"""Writes a running turn's steps: each before the next begins, each under the turn's lease."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from shared.clock import Clock
from shared.ids import NewId
from shared.sessions.port import Lease, OutgoingEvent, TurnStore
from shared.turn import FinalStep, ModelStep, Step, ToolStep, Turn

LEASE_SECONDS = 30.0


class TurnRecord:
    """The one writer of a running turn; `turn` is always what the store holds."""

    def __init__(self, *, store: TurnStore, turn: Turn, lease: Lease, clock: Clock, new_id: NewId) -> None:
        self.turn = turn
        self._store = store
        self._lease = lease
        self._clock = clock
        self._new_id = new_id
        # Tools of one reply end at the same time; numbers are given one after another.
        self._writing = asyncio.Lock()

    @property
    def next_number(self) -> int:
        """The number of the step to come."""
        return len(self.turn.steps)

    async def append(self, step: ModelStep | ToolStep) -> int:
        """Writes the step and returns its number.

        Raises:
            SessionConflictError: the lease was lost; nothing was written.
            StoreUnavailableError: nothing was written.
        """
        return await _to_the_end(self._append(step))

    async def finish(self, final: FinalStep, last: ModelStep | None = None) -> int:
        """Writes the end of the turn, with the reply before it, in one write; the end's number.

        Raises:
            SessionConflictError, StoreUnavailableError: as `append`.
        """
        return await _to_the_end(self._finish(final, last))

    async def _append(self, step: ModelStep | ToolStep) -> int:
        async with self._writing:
            number, now = self.next_number, self._clock()
            await self._store.append_step(
                lease=self._lease, number=number, step=step, now=now, lease_seconds=LEASE_SECONDS
            )
            self.turn = replace(
                self.turn, steps=(*self.turn.steps, step), step_times=(*self.turn.step_times, now)
            )
            return number

    async def _finish(self, final: FinalStep, last: ModelStep | None) -> int:
        async with self._writing:
            now = self._clock()
            steps: tuple[Step, ...] = (final,) if last is None else (last, final)
            ended = replace(
                self.turn,
                steps=(*self.turn.steps, *steps),
                step_times=(*self.turn.step_times, *(now for _ in steps)),
                status=final.status,
                completed_at=now,
            )
            await self._store.finish_turn(
                lease=self._lease,
                number=self.next_number,
                steps=steps,
                now=now,
                events=(self._completed_event(ended),),
            )
            self.turn = ended
            return len(ended.steps) - 1

    async def renew_lease(self) -> None:
        """Keeps the lease for another while; raises SessionConflictError when it was lost."""
        async with self._writing:
            # Once the turn has ended its lease is gone, and nothing is lost by that.
            if self.turn.final is None:
                await self._store.renew_lease(
                    lease=self._lease, now=self._clock(), lease_seconds=LEASE_SECONDS
                )

    def _completed_event(self, turn: Turn) -> OutgoingEvent:
        usage = turn.usage
        return OutgoingEvent(
            event_id=self._new_id(),
            type="ai.turn.completed",
            data={
                "session_id": turn.key.session_id,
                "user_id": turn.key.user_id,
                "turn_id": turn.turn_id,
                "status": turn.status,
                "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
            },
        )


async def _to_the_end(write: Coroutine[Any, Any, int]) -> int:
    """Lets a write end although its caller is cancelled: else `turn` would not be what the store holds."""
    task = asyncio.ensure_future(write)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
