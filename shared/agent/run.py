"""One turn from the recorded user message to its end: model replies and tool calls in alternation."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace

from shared.agent.feed import TurnFeed
from shared.agent.history import past_messages, turn_messages
from shared.agent.outcomes import WORTH_A_RETRY, notice_for
from shared.agent.prompt import system_prompt
from shared.agent.record import TurnRecord
from shared.agent.reply import ReplyBuilder
from shared.agent.updates import (
    ContentUpdate,
    ErrorUpdate,
    Position,
    calls_of,
    end_of,
    results_of,
    separator,
)
from shared.artifacts.port import Artifacts
from shared.errors import AppError, ModelTimeoutError, SessionConflictError, ToolNotFoundError
from shared.ids import NewId
from shared.messages import Message, TextPart, ToolCall, ToolFault, ToolResult, ToolSpec
from shared.model.port import ChatModel, ModelRequest
from shared.sessions.port import BegunTurn
from shared.tools.port import ToolRunner
from shared.turn import FinalStep, ModelStep, ToolStep, TurnStatus

_log = logging.getLogger(__name__)

_LIMIT = ToolFault(
    code="tool_limit", message="this turn may make no more tool calls; answer with what you have"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnParts:
    """What every turn of a process shares. Times in seconds."""

    model: ChatModel
    tools: ToolRunner
    artifacts: Artifacts
    new_id: NewId
    max_tool_calls: int
    turn_timeout: float
    model_timeout: float


class TurnRun:
    """Runs one turn; `feed` tells it live, `record` holds it for good."""

    def __init__(self, *, parts: TurnParts, begun: BegunTurn, record: TurnRecord, feed: TurnFeed) -> None:
        self.record = record
        self.feed = feed
        self.stop_as: TurnStatus = "interrupted"
        self.model_seconds = 0.0
        self.tool_seconds = 0.0
        self._parts = parts
        self._session = begun.session
        self._past = past_messages(begun.history)
        self._reply: ReplyBuilder | None = None

    async def execute(self) -> None:
        """Runs to the end, whatever happens; the end is recorded when the store takes it."""
        try:
            async with asyncio.timeout(self._parts.turn_timeout):
                await self._converse()
        except asyncio.CancelledError:
            await self._stopped()
        except TimeoutError:
            error = ModelTimeoutError(f"the turn took more than {self._parts.turn_timeout:g} s")
            await self._failed(error, "deadline")
        except AppError as error:
            await self._failed(error, "error")
        # The border of the turn: its client must hear of any failure, in our words.
        except Exception:  # noqa: BLE001
            _log.exception("turn failed", extra={"turn_id": self.record.turn.turn_id})
            await self._failed(AppError("the turn failed for a reason of ours"), "error")
        finally:
            self.feed.close()

    async def _converse(self) -> None:
        specs = await self._parts.tools.catalogue() if self.record.turn.request.enable_tools else ()
        used, retried = 0, False
        while True:
            out_of_calls = bool(specs) and used >= self._parts.max_tool_calls
            step = await self._ask_model(specs, out_of_calls)
            if step.tool_calls and step.finish_reason in ("tool_calls", "stop"):
                if not out_of_calls:
                    used += await self._run_tools(step, self._parts.max_tool_calls - used)
                    continue
                step = replace(step, finish_reason="tool_limit")
            elif step.finish_reason in WORTH_A_RETRY and not retried:
                retried = True
                await self.record.append(replace(step, parts=_texts(step)))
                self._reply = None
                continue
            await self._answered(step)
            return

    async def _ask_model(self, specs: tuple[ToolSpec, ...], out_of_calls: bool) -> ModelStep:
        """One reply, streamed to the feed as it comes."""
        turn = self.record.turn
        number = self.record.next_number
        request = ModelRequest(
            model=turn.request.model or self._parts.model.name,
            system=system_prompt({**self._session.context, **turn.request.context}, finish_now=out_of_calls),
            messages=self._messages(),
            tools=specs,
            allow_tools=not out_of_calls,
            timeout=self._parts.model_timeout,
        )
        reply = self._reply = ReplyBuilder(model=request.model)
        lead = separator(turn, number)
        started = time.perf_counter()
        try:
            async for chunk in self._parts.model.stream(request):
                delta = reply.add(chunk)
                if delta:
                    self.feed.send(ContentUpdate(Position(number, reply.length), lead + delta))
                    lead = ""
        finally:
            self.model_seconds += time.perf_counter() - started
        return self._with_own_ids(reply.step())

    def _messages(self) -> tuple[Message, ...]:
        current = list(turn_messages(self.record.turn))
        # A first try that failed has said something, but the model is asked the same again.
        while current[-1].role == "assistant":
            current.pop()
        return (*self._past, *current)

    def _with_own_ids(self, step: ModelStep) -> ModelStep:
        """The step with call ids that are new in this turn, since results are found by them."""
        seen = {call.id for call, _ in self.record.turn.tool_calls}
        parts: list[TextPart | ToolCall] = []
        for part in step.parts:
            if isinstance(part, ToolCall):
                if part.id in seen:
                    part = replace(part, id=self._parts.new_id())  # noqa: PLW2901
                seen.add(part.id)
            parts.append(part)
        return replace(step, parts=tuple(parts))

    async def _run_tools(self, step: ModelStep, budget: int) -> int:
        """Records the reply, runs its calls concurrently, records each result as it ends."""
        number = await self.record.append(step)
        self._reply = None
        for update in calls_of(number, step):
            self.feed.send(update)
        calls = step.tool_calls
        started = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                for index, call in enumerate(calls):
                    group.create_task(self._run_tool(call, allowed=index < budget))
        except ExceptionGroup as failures:
            # One is enough to end the turn, and the caller handles single errors.
            raise failures.exceptions[0] from failures
        self.tool_seconds += time.perf_counter() - started
        return min(len(calls), budget)

    async def _run_tool(self, call: ToolCall, *, allowed: bool) -> None:
        if allowed:
            result = await self._tool_result(call)
        else:
            result = ToolResult(id=call.id, name=call.name, status="error", error=_LIMIT)
        filenames = None
        if result.artifacts:
            listed = await self._parts.artifacts.list(session=self._session.key)
            filenames = tuple(artifact.filename for artifact in listed)
        step = ToolStep(result=result, filenames=filenames)
        number = await self.record.append(step)
        for update in results_of(number, step):
            self.feed.send(update)

    async def _tool_result(self, call: ToolCall) -> ToolResult:
        try:
            return await self._parts.tools.run(call=call, session=self._session.key)
        except ToolNotFoundError as error:
            fault = ToolFault(code=error.code, message=error.message)
            return ToolResult(id=call.id, name=call.name, status="error", error=fault)

    async def _answered(self, step: ModelStep) -> None:
        """The last reply and the end of the turn, in one write."""
        number = self.record.next_number
        notice = notice_for(step.finish_reason, step.text)
        if notice:
            before = len(step.text)
            lead = "" if before else separator(self.record.turn, number)
            step = replace(step, parts=(*_texts(step), TextPart(text=notice)))
            self.feed.send(ContentUpdate(Position(number, before + len(notice)), lead + notice))
        final = FinalStep(status="completed", finish_reason=step.finish_reason)
        await self._end(final, replace(step, parts=_texts(step)))

    async def _failed(self, error: AppError, reason: str) -> None:
        final = FinalStep(
            status="failed",
            finish_reason="deadline" if reason == "deadline" else "error",
            error=error.message,
            code=error.code,
            retryable=error.retryable,
        )
        await self._end(final, self._partial("error"))

    async def _stopped(self) -> None:
        """Cancelled by the user, or by the end of this process."""
        by_user = self.stop_as == "cancelled"
        final = FinalStep(
            status=self.stop_as,
            finish_reason="cancelled",
            error="the turn was cancelled" if by_user else "the turn was interrupted",
            code=self.stop_as,
            retryable=not by_user,
        )
        await self._end(final, self._partial("cancelled"))

    def _partial(self, reason: str) -> ModelStep | None:
        """What the model had said when the turn broke off: the user has seen it, so it is kept."""
        if self._reply is None or not self._reply.length:
            return None
        step = self._reply.step("cancelled" if reason == "cancelled" else "error")
        return replace(step, parts=_texts(step))

    async def _end(self, final: FinalStep, last: ModelStep | None) -> None:
        try:
            number = await self.record.finish(final, last)
        except AppError as error:
            # Not kept: the client must not take it for kept. The lease runs out and frees the session.
            _log.warning("turn end not recorded", extra={"code": error.code})
            at = Position(self.record.next_number + 1, 0)
            retryable = error.retryable and not isinstance(error, SessionConflictError)
            self.feed.send(ErrorUpdate(at, error.message, error.code, retryable))
            return
        self.feed.send(end_of(number, final, self.record.turn))


def _texts(step: ModelStep) -> tuple[TextPart, ...]:
    return tuple(part for part in step.parts if isinstance(part, TextPart))
