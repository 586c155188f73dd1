"""Writes a running turn's steps: each before the next begins, each under the turn's lease."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from shared.clock import Clock
from shared.errors import StoreUnavailableError
from shared.ids import NewId
from shared.session import Summary
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.turn_port import Lease, TurnStore
from shared.turn import ApprovalStep, FinalStep, ModelStep, Step, ToolStep, Turn

_log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
# Of the lease: a restart of the database fits in, and the lease outlives it.
_RETRYING = 0.4
# When the store was given up, its client is waiting to hear so: the end gets one short try.
_LAST_SECONDS = 3.0

AppendedStep = ModelStep | ToolStep | ApprovalStep


class TurnRecord:
    """The one writer of a running turn; `turn` is always what the store holds."""

    def __init__(
        self,
        *,
        store: TurnStore,
        turn: Turn,
        lease: Lease,
        clock: Clock,
        new_id: NewId,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.turn = turn
        self.lease = lease
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._lease_seconds = lease_seconds
        # Set when a write was given up: the store may have taken it all the same.
        self.given_up: StoreUnavailableError | None = None
        # Tools of one reply end at the same time; numbers are given one after another.
        self._writing = asyncio.Lock()

    @property
    def next_number(self) -> int:
        """The number of the step to come."""
        return len(self.turn.steps)

    @property
    def is_open(self) -> bool:
        """Whether the turn runs on, as far as is known: not ended, paused, or in the midst of a write."""
        return self.turn.status == "running" and not self._writing.locked()

    async def append(self, step: AppendedStep, *, pause_until: datetime | None = None) -> int:
        """Writes the step and returns its number; with `pause_until` the turn is paused behind it.

        Raises:
            SessionConflictError: the lease was lost; nothing was written.
            StoreUnavailableError: the store did not come back within 0.4 of the lease; nothing was written.
        """
        return await _to_the_end(self._append(step, pause_until))

    async def finish(
        self, final: FinalStep, last: ModelStep | None = None, events: tuple[OutgoingEvent, ...] = ()
    ) -> int:
        """Writes the end of the turn, with the reply before it, in one write; the end's number.

        Raises:
            SessionConflictError, StoreUnavailableError: as `append`.
        """
        return await _to_the_end(self._finish(final, last, events))

    async def save_summary(self, summary: Summary) -> None:
        """Keeps the session's new summary; raises as `append`."""
        await self._store.save_summary(lease=self.lease, summary=summary, now=self._clock())

    async def _append(self, step: AppendedStep, pause_until: datetime | None) -> int:
        async with self._writing:
            number, now = self.next_number, self._clock()
            await self._kept(
                lambda: self._store.append_step(
                    lease=self.lease,
                    number=number,
                    step=step,
                    now=now,
                    lease_seconds=self._lease_seconds,
                    pause_until=pause_until,
                )
            )
            self.turn = replace(
                self.turn,
                steps=(*self.turn.steps, step),
                step_times=(*self.turn.step_times, now),
                status="paused" if pause_until else self.turn.status,
            )
            return number

    async def _finish(
        self, final: FinalStep, last: ModelStep | None, events: tuple[OutgoingEvent, ...]
    ) -> int:
        async with self._writing:
            number, now = self.next_number, self._clock()
            steps: tuple[Step, ...] = (final,) if last is None else (last, final)
            ended = replace(
                self.turn,
                steps=(*self.turn.steps, *steps),
                step_times=(*self.turn.step_times, *(now for _ in steps)),
                status=final.status,
                completed_at=now,
            )
            outgoing = (completed_event(ended, self._new_id()), *events)
            await self._kept(
                lambda: self._store.finish_turn(
                    lease=self.lease, number=number, steps=steps, now=now, events=outgoing
                )
            )
            self.turn = ended
            return len(ended.steps) - 1

    async def _kept(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeats a write while the store is away, for a bounded time: a repeat has one effect."""
        try:
            if self.given_up is None:
                return await self._repeated(write)
            async with asyncio.timeout(_LAST_SECONDS):
                return await write()
        except StoreUnavailableError as error:
            self.given_up = error
            raise
        except TimeoutError:
            assert self.given_up is not None
            raise self.given_up from None

    async def _repeated(self, write: Callable[[], Awaitable[None]]) -> None:
        give_up = time.monotonic() + _RETRYING * self._lease_seconds
        for attempt in count():
            try:
                return await write()
            except StoreUnavailableError as error:
                # Spread out, so that turns do not meet the returning store all at once; nothing secret.
                pause = random.uniform(0.5, 1) * min(0.1 * 2**attempt, 2)  # noqa: S311
                if time.monotonic() + pause > give_up:
                    raise
                _log.warning("write repeated", extra={"code": error.code, "attempt": attempt + 1})
                await asyncio.sleep(pause)

    async def renew_lease(self) -> None:
        """Keeps the lease for another while; raises SessionConflictError when it was lost."""
        async with self._writing:
            # Once the turn has ended its lease is gone, and nothing is lost by that.
            if self.turn.status == "running":
                await self._store.renew_lease(
                    lease=self.lease, now=self._clock(), lease_seconds=self._lease_seconds
                )


def completed_event(turn: Turn, event_id: str) -> OutgoingEvent:
    """What is published when a turn has ended, however it did."""
    usage = turn.usage
    return OutgoingEvent(
        event_id=event_id,
        type="ai.turn.completed",
        data={
            "session_id": turn.key.session_id,
            "user_id": turn.key.user_id,
            "turn_id": turn.turn_id,
            "status": turn.status,
            "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        },
    )


def resume_event(turn: Turn, event_id: str) -> OutgoingEvent:
    """What asks another instance to go on with a turn that this one had to leave."""
    return OutgoingEvent(
        event_id=event_id,
        type="turn.resume",
        data={
            "session_id": turn.key.session_id,
            "user_id": turn.key.user_id,
            "turn_id": turn.turn_id,
        },
    )


async def _to_the_end(write: Coroutine[Any, Any, int]) -> int:
    """Lets a write end although its caller is cancelled: else `turn` would not be what the store holds."""
    task = asyncio.ensure_future(write)
    # Who cancels does not ask for the error: it counts as seen.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
