"""The turn engine: begins turns, keeps them running without their clients, tells readers how they go."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from shared.agent.feed import TurnFeed
from shared.agent.prompt import PROMPT_VERSION
from shared.agent.record import LEASE_SECONDS, TurnRecord
from shared.agent.run import TurnParts, TurnRun
from shared.agent.updates import START, Position, Update, replay
from shared.clock import Clock
from shared.errors import SessionConflictError, StoreUnavailableError, TurnInProgressError
from shared.keys import SessionKey
from shared.session import title_of
from shared.sessions.port import BegunTurn, NewTurn, TurnStore
from shared.turn import Turn, TurnRequest

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTurn:
    """What observers learn of a turn that has ended here; seconds."""

    turn: Turn
    seconds: float
    model_seconds: float
    tool_seconds: float


TurnObserver = Callable[[EndedTurn], None]


class TurnEngine:
    """Runs turns over ports; knows no vendor and no wire format."""

    def __init__(
        self,
        *,
        store: TurnStore,
        parts: TurnParts,
        clock: Clock,
        history_messages: int,
        observers: tuple[TurnObserver, ...] = (),
    ) -> None:
        self._store = store
        self._parts = parts
        self._clock = clock
        self._history_messages = history_messages
        self._observers = observers
        self._running: dict[str, tuple[TurnRun, asyncio.Task[None]]] = {}
        self._renewing: asyncio.Task[None] | None = None

    @property
    def active_sessions(self) -> int:
        """How many sessions have a turn running in this process."""
        return len({run.record.turn.key for run, _ in self._running.values()})

    async def begin(
        self,
        *,
        key: SessionKey,
        request: TurnRequest,
        idempotency_key: str | None = None,
        body_hash: str = "",
    ) -> Turn:
        """Records the user's message and sets the turn going; the turn as it begins.

        With an idempotency key that was used before, and the same `body_hash`, the turn that it began.

        Raises:
            TurnInProgressError, IdempotencyMismatchError, SessionNotFoundError, StoreUnavailableError:
                as `TurnStore.begin_turn`; no model was called.
        """
        begun = await self._store.begin_turn(
            new=NewTurn(
                key=key,
                turn_id=self._parts.new_id(),
                request=request,
                prompt_version=PROMPT_VERSION,
                now=self._clock(),
                lease_seconds=LEASE_SECONDS,
                default_title=title_of(request.message),
                history_messages=self._history_messages,
                idempotency_key=idempotency_key,
                body_hash=body_hash,
            )
        )
        if begun.lease is not None:
            self._launch(begun)
        return begun.turn

    async def follow(
        self, *, user_id: str, turn_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """The updates of a turn after a position: live while it runs here, else from the record.

        Those that are there come together; an empty tuple stands for every `silence` seconds in which
        nothing came.

        Raises:
            TurnNotFoundError: the user has no such turn.
            TurnInProgressError: it runs in another process; come back when it has ended.
        """
        running = self._running.get(turn_id)
        if running is not None and running[0].record.turn.key.user_id == user_id:
            async for updates in running[0].feed.follow(after, silence=silence):
                yield updates
            return
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        if turn.status == "running":
            raise TurnInProgressError(
                "the turn runs on another instance; read it again when it has ended", retry_after=2
            )
        if updates := tuple(replay(turn, after)):
            yield updates

    async def wait(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn when it has ended.

        Raises:
            TurnNotFoundError, TurnInProgressError: as `follow`.
        """
        running = self._running.get(turn_id)
        if running is not None and running[0].record.turn.key.user_id == user_id:
            run, task = running
            # The turn goes on when its client does not.
            await asyncio.wait({task})
            if run.record.turn.final is not None:
                return run.record.turn
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        if turn.status == "running":
            raise TurnInProgressError(
                "the turn's end could not be recorded, or it runs on another instance", retry_after=2
            )
        return turn

    async def load(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn as far as it is recorded; raises TurnNotFoundError."""
        return await self._store.load_turn(user_id=user_id, turn_id=turn_id)

    async def cancel(self, *, user_id: str, turn_id: str) -> Turn:
        """Stops a turn that runs here, keeping what it has; one that has ended stays as it is.

        Raises:
            TurnNotFoundError; TurnInProgressError: it runs in another process.
        """
        running = self._running.get(turn_id)
        if running is not None and running[0].record.turn.key.user_id == user_id:
            run, task = running
            run.stop_as = "cancelled"
            task.cancel()
            await asyncio.wait({task})
            return run.record.turn
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        if turn.status == "running":
            raise TurnInProgressError("the turn runs on another instance", retry_after=2)
        return turn

    async def close(self) -> None:
        """Interrupts the turns that run here and records that they were."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._renewing is not None:
            self._renewing.cancel()

    def _launch(self, begun: BegunTurn) -> None:
        assert begun.lease is not None
        turn_id = begun.turn.turn_id
        record = TurnRecord(
            store=self._store,
            turn=begun.turn,
            lease=begun.lease,
            clock=self._clock,
            new_id=self._parts.new_id,
        )
        feed = TurnFeed()
        for update in replay(begun.turn):
            feed.send(update)
        run = TurnRun(parts=self._parts, begun=begun, record=record, feed=feed)
        task = asyncio.create_task(run.execute())
        self._running[turn_id] = (run, task)
        started = time.perf_counter()
        task.add_done_callback(lambda _: self._ended(turn_id, run, time.perf_counter() - started))
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_leases())

    def _ended(self, turn_id: str, run: TurnRun, seconds: float) -> None:
        self._running.pop(turn_id, None)
        ended = EndedTurn(
            turn=run.record.turn,
            seconds=seconds,
            model_seconds=run.model_seconds,
            tool_seconds=run.tool_seconds,
        )
        for observe in self._observers:
            observe(ended)

    async def _renew_leases(self) -> None:
        """Keeps the leases of the turns that run here; a turn that lost its own must not go on."""
        while self._running:
            await asyncio.sleep(LEASE_SECONDS / 3)
            for run, task in list(self._running.values()):
                try:
                    await run.record.renew_lease()
                except SessionConflictError:
                    # Also when the turn has just ended, and then there is nothing to cancel.
                    task.cancel()
                except StoreUnavailableError as error:
                    _log.warning("lease not renewed", extra={"code": error.code})
        self._renewing = None
