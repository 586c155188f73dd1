"""The turn engine: begins turns, keeps them running without their clients, tells readers how they go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from shared.agent.bus import NoBus, TurnBus
from shared.agent.calls import asked_of, open_question
from shared.agent.feed import TurnFeed
from shared.agent.lines import PLACE_SECONDS, WaitingLines
from shared.agent.local import LocalTurn, LocalTurns
from shared.agent.parts import TurnParts
from shared.agent.prompt import PROMPT_VERSION
from shared.agent.reading import TurnReader
from shared.agent.record import TurnRecord, completed_event
from shared.agent.run import TurnRun
from shared.agent.updates import START, Position, Update, replay
from shared.agent.watch import LeaseWatch
from shared.artifact_set import set_sha256
from shared.clock import Clock
from shared.errors import (
    ApprovalConflictError,
    ApprovalRequiredError,
    ConflictError,
    SessionConflictError,
    TurnInProgressError,
)
from shared.keys import SessionKey
from shared.session import title_of
from shared.sessions.turn_port import BegunTurn, IfBusy, NewTurn, TakenTurn, TurnStore
from shared.tracing.context import current_traceparent
from shared.turn import UNFINISHED, DecisionStep, ResumedStep, Turn, TurnRequest, TurnStatus


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
        bus: TurnBus | None = None,
        observers: tuple[TurnObserver, ...] = (),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._parts = parts
        self._clock = clock
        self._history_messages = history_messages
        self._observers = observers
        # Called when a turn has begun to run here, or no longer does.
        self._changed = changed
        self._held = LocalTurns()
        self._bus = bus or NoBus()
        self._reader = TurnReader(store=store, held=self._held, bus=self._bus)
        self._watch = LeaseWatch(store=store, held=self._held, lease_seconds=parts.lease_seconds)
        self._bus.on_stop(self._watch.look_soon)
        self._lines = WaitingLines(
            store=store,
            held=self._held,
            clock=clock,
            history_messages=history_messages,
            lease_seconds=parts.lease_seconds,
            start=self._launch,
        )

    @property
    def active_sessions(self) -> int:
        """How many sessions have a turn running in this process."""
        return len({turn.key for turn in self._held.running()})

    async def begin(
        self,
        *,
        key: SessionKey,
        request: TurnRequest,
        if_busy: IfBusy = "reject",
        idempotency_key: str | None = None,
        body_hash: str = "",
    ) -> Turn:
        """Records the user's message and sets the turn going, or in line; the turn as it begins.

        With an idempotency key that was used before, and the same `body_hash`, the turn that it began; one
        that was interrupted, or failed for a passing reason, goes on.

        Raises:
            TurnInProgressError, ApprovalRequiredError, IdempotencyMismatchError, TurnNotFoundError,
            SessionNotFoundError, StoreUnavailableError: as `TurnStore.begin_turn`; no model was called.
        """
        makes_way = if_busy in ("interrupt", "rollback")
        new = NewTurn(
            key=key,
            turn_id=self._parts.new_id(),
            request=replace(request, traceparent=current_traceparent()),
            prompt_version=PROMPT_VERSION,
            now=self._clock(),
            lease_seconds=self._parts.lease_seconds,
            wait_seconds=PLACE_SECONDS,
            default_title=title_of(request.message),
            history_messages=self._history_messages,
            idempotency_key=idempotency_key,
            body_hash=body_hash,
            # First politely: a repeat must find its own turn, not stop it.
            if_busy="reject" if makes_way else if_busy,
        )
        try:
            begun = await self._store.begin_turn(new=new)
        except (TurnInProgressError, ApprovalRequiredError) as busy:
            if not makes_way:
                raise
            await self._make_way(key, if_busy)
            begun = await self._store.begin_turn(new=replace(new, if_busy=if_busy, now=self._clock()))
            self._bus.announce_stop(turn_id=str(busy.details.get("turn_id", "")))
        if begun.lease is not None:
            self._launch(begun)
        elif begun.turn.turn_id == new.turn_id:
            self._wait_in_line(begun.turn)
        elif _may_go_on(begun.turn):
            return await self._go_on(begun.turn)
        return begun.turn

    async def resume(self, *, user_id: str, turn_id: str) -> Turn:
        """Goes on with an interrupted turn from its last recorded step; any other one as it is.

        Raises:
            TurnNotFoundError.
            ApprovalRequiredError: it is the user's yes that it waits for.
            TurnInProgressError, SessionConflictError: the session is busy with, or has had, another turn.
        """
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        if turn.status == "paused":
            raise ApprovalRequiredError("the turn waits for the user's answer", turn_id=turn_id)
        if not _may_go_on(turn) or self._held.of_user(user_id, turn_id) is not None:
            return turn
        return self._launch(await self._take(turn, ResumedStep()))

    async def decide(
        self, *, user_id: str, turn_id: str, call_id: str, approved: bool, unverified: bool = False
    ) -> Turn:
        """Takes the user's answer to a question of a paused turn and goes on with it.

        A yes to a bot that is not verified says `unverified` itself.

        Raises:
            TurnNotFoundError.
            ApprovalConflictError: nothing is asked about this call, the answer is late or a second one, or
                the session's files are not those that the question was about.
        """
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        question = open_question(turn, call_id)
        if question is None or turn.status != "paused":
            raise ApprovalConflictError("no answer is awaited for this call", turn_id=turn_id)
        asked = asked_of(turn, question)
        self._parts.approvals.check("question", asked, question.token, self._clock())
        if approved and question.arguments.get("unverified") is True and not unverified:
            raise ApprovalConflictError(
                'this bot is not verified: a yes to it says so too, {"approved": true, "unverified": true}',
                turn_id=turn_id,
            )
        if approved:
            files = await self._parts.artifacts.list(session=turn.key)
            if set_sha256(files) != question.artifacts_sha256:
                raise ApprovalConflictError(
                    "the session's files have changed since the question was asked; "
                    "say no, and ask for the deployment again",
                    turn_id=turn_id,
                )
        step = DecisionStep(call_id=call_id, approved=approved)
        try:
            begun = await self._take(turn, step)
        except ConflictError as error:
            raise ApprovalConflictError(
                "the call was answered already, or the turn has ended", turn_id=turn_id
            ) from error
        return self._launch(begun)

    async def cancel(self, *, user_id: str, turn_id: str) -> Turn:
        """Stops an unfinished turn wherever it runs, keeping what it has; one that has ended stays as it is.

        Raises:
            TurnNotFoundError, StoreUnavailableError.
        """
        local = self._held.of_user(user_id, turn_id)
        if local is not None and local.run is not None:
            await self._stop(local, "cancelled")
            if local.run.record.turn.final is not None:
                return local.run.record.turn
        turn = await self._store.load_turn(user_id=user_id, turn_id=turn_id)
        if turn.status in UNFINISHED:
            ended = completed_event(replace(turn, status="cancelled"), self._parts.new_id())
            turn = await self._store.stop_turn(
                user_id=user_id, turn_id=turn_id, status="cancelled", now=self._clock(), events=(ended,)
            )
            self._bus.announce_stop(turn_id=turn_id)
            if local is not None:
                self._lines.leave(local)
            self._lines.stir(turn.key)
        return turn

    async def hand_over(self, *, user_id: str, turn_id: str) -> bool:
        """Leaves a turn that runs here to another instance, by a `turn.resume` event; False: none does."""
        local = self._held.of_user(user_id, turn_id)
        if local is None or local.run is None:
            return False
        local.run.hand_over = True
        await self._stop(local, "interrupted")
        return True

    async def load(self, *, user_id: str, turn_id: str) -> Turn:
        """The turn as far as it is recorded; raises TurnNotFoundError."""
        return await self._store.load_turn(user_id=user_id, turn_id=turn_id)

    def follow(
        self, *, user_id: str, turn_id: str, after: Position = START, silence: float = 3600
    ) -> AsyncIterator[tuple[Update, ...]]:
        """See `TurnReader.follow`."""
        return self._reader.follow(user_id=user_id, turn_id=turn_id, after=after, silence=silence)

    async def wait(self, *, user_id: str, turn_id: str) -> Turn:
        """See `TurnReader.wait`."""
        return await self._reader.wait(user_id=user_id, turn_id=turn_id)

    async def close(self, *, hand_over: bool = False) -> None:
        """Interrupts the turns that run here and records that they were; those that wait are let go.

        With `hand_over` other instances are asked to go on with them.
        """
        self._reader.close()
        self._lines.close()
        for turn in self._held.running():
            assert turn.run is not None
            turn.run.hand_over = hand_over
        tasks = [turn.task for turn in self._held if turn.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._watch.close()

    async def _go_on(self, turn: Turn) -> Turn:
        """The repeat of a request goes on with its turn, unless somebody does or it has ended meanwhile.

        Raises:
            SessionConflictError: the session has gone on without the turn, which stays as it is.
        """
        if self._held.of_user(turn.key.user_id, turn.turn_id) is not None:
            return turn
        try:
            return self._launch(await self._take(turn, ResumedStep()))
        except ConflictError as error:
            found = await self._store.load_turn(user_id=turn.key.user_id, turn_id=turn.turn_id)
            if isinstance(error, SessionConflictError) and _may_go_on(found):
                raise SessionConflictError(
                    "the session has gone on after this turn, which cannot go on any more; "
                    "send the message again under a new Idempotency-Key",
                    turn_id=turn.turn_id,
                ) from error
            return found

    async def _take(self, turn: Turn, step: ResumedStep | DecisionStep) -> BegunTurn:
        return await self._store.take_turn(
            taken=TakenTurn(
                user_id=turn.key.user_id,
                turn_id=turn.turn_id,
                step=step,
                now=self._clock(),
                lease_seconds=self._parts.lease_seconds,
                history_messages=self._history_messages,
            )
        )

    async def _make_way(self, key: SessionKey, if_busy: IfBusy) -> None:
        """Stops what runs here in the session: an interrupted turn keeps also what was not recorded yet."""
        for local in self._held.running_in(key):
            await self._stop(local, "interrupted" if if_busy == "interrupt" else None)

    @staticmethod
    async def _stop(local: LocalTurn, how: TurnStatus | None) -> None:
        assert local.run is not None
        assert local.task is not None
        local.run.stop_as = how
        local.task.cancel()
        await local.ended.wait()

    def _wait_in_line(self, turn: Turn) -> None:
        local = LocalTurn(key=turn.key, turn_id=turn.turn_id)
        self._held.add(local)
        self._lines.join(local)

    def _launch(self, begun: BegunTurn, waited: LocalTurn | None = None) -> Turn:
        turn = begun.turn
        assert begun.lease is not None
        for other in self._held.running_in(turn.key):
            # The store gave an older lease away; its holder would find out at its next write.
            if other.run is not None and other.run.record.lease.token < begun.lease.token:
                other.abandon()
        local = waited or LocalTurn(key=turn.key, turn_id=turn.turn_id, feed=TurnFeed())
        user_id, announce = turn.key.user_id, self._bus.announce
        local.feed.tell(lambda update: announce(turn_id=turn.turn_id, user_id=user_id, updates=(update,)))
        for update in replay(turn):
            local.feed.send(update)
        record = TurnRecord(
            store=self._store,
            turn=turn,
            lease=begun.lease,
            clock=self._clock,
            new_id=self._parts.new_id,
            lease_seconds=self._parts.lease_seconds,
        )
        local.run = TurnRun(parts=self._parts, begun=begun, record=record, feed=local.feed)
        local.task = asyncio.create_task(local.run.execute(), context=local.context)
        self._held.add(local)
        started = time.perf_counter()
        local.task.add_done_callback(lambda _: self._ended(local, time.perf_counter() - started))
        self._watch.begin()
        self._changed()
        return turn

    def _ended(self, local: LocalTurn, seconds: float) -> None:
        run = local.run
        assert run is not None
        self._held.remove(local)
        self._changed()
        self._lines.stir(local.key)
        if run.record.turn.final is None:
            return
        ended = EndedTurn(
            turn=run.record.turn,
            seconds=seconds,
            model_seconds=run.model_seconds,
            tool_seconds=run.tool_seconds,
        )
        for observe in self._observers:
            observe(ended)


def _may_go_on(turn: Turn) -> bool:
    """Whether a turn can be taken up: it was interrupted, or failed for a passing reason."""
    if turn.status == "failed":
        return turn.final is not None and turn.final.retryable
    return turn.status == "interrupted"
