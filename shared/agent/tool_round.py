"""A turn's open tool calls: run together, results recorded as they end, the user asked where one needs it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from shared.agent.automatic import NOT_OFFERED, may_call
from shared.agent.calls import DENIED, LIMIT, asked_of, calls_used, decision_on, open_calls, repeated
from shared.agent.feed import TurnFeed
from shared.agent.parts import TurnParts
from shared.agent.record import TurnRecord
from shared.agent.updates import question_of, results_of
from shared.approvals import Grant
from shared.artifact_set import set_sha256
from shared.errors import ToolNotFoundError
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec
from shared.tools.port import CallOrigin
from shared.turn import ApprovalStep, ToolStep


class ToolRound:
    """Runs what the record leaves open; `seconds` is the time that tools took."""

    def __init__(self, *, parts: TurnParts, record: TurnRecord, feed: TurnFeed) -> None:
        self.seconds = 0.0
        self._parts = parts
        self._record = record
        self._feed = feed

    async def run(self, specs: tuple[ToolSpec, ...]) -> bool:
        """Runs the open calls; False when the turn has paused, as the user must be asked."""
        need_yes = {spec.name for spec in specs if spec.requires_approval}
        turn = self._record.turn
        budget = self._parts.max_tool_calls - calls_used(turn)
        to_ask: list[ToolCall] = []
        started = time.perf_counter()
        try:
            async with asyncio.TaskGroup() as group:
                for index, call in enumerate(open_calls(turn)):
                    if index >= budget:
                        group.create_task(self._record_result(_refused(call, LIMIT)))
                    elif not may_call(call, specs, turn.request):
                        group.create_task(self._record_result(_refused(call, NOT_OFFERED)))
                    elif call.name not in need_yes:
                        group.create_task(self._run(call, None))
                    elif (decision := decision_on(turn, call.id, self._parts.clock())) is None:
                        to_ask.append(call)
                    elif decision.approved:
                        group.create_task(self._run(call, self._parts.approvals.grant(decision.asked)))
                    else:
                        group.create_task(self._record_result(_refused(call, DENIED)))
        except ExceptionGroup as failures:
            # One is enough to end the turn, and the caller handles single errors.
            raise failures.exceptions[0] from failures
        finally:
            self.seconds += time.perf_counter() - started
        if to_ask:
            await self._ask_user(to_ask)
        return not to_ask

    async def _ask_user(self, calls: list[ToolCall]) -> None:
        """Pauses the turn behind a question for each call, bound to the session's files as they are."""
        turn = self._record.turn
        files = set_sha256(await self._parts.artifacts.list(session=turn.key))
        until = self._parts.clock() + self._parts.approval_time
        for call in calls:
            step = ApprovalStep(
                call_id=call.id,
                name=call.name,
                arguments=call.arguments,
                artifacts_sha256=files,
                expires_at=until,
                token="",
            )
            step = replace(step, token=self._parts.approvals.question(asked_of(turn, step)))
            number = await self._record.append(step, pause_until=until)
            self._feed.send(question_of(number, step))

    async def _run(self, call: ToolCall, grant: Grant | None) -> None:
        turn = self._record.turn
        origin = CallOrigin(turn_id=turn.turn_id, grant=grant, repeated=repeated(turn, call))
        try:
            result = await self._parts.tools.run(call=call, session=turn.key, origin=origin)
        except ToolNotFoundError as error:
            result = _refused(call, ToolFault(code=error.code, message=error.message))
        await self._record_result(result)

    async def _record_result(self, result: ToolResult) -> None:
        filenames = None
        if result.artifacts:
            listed = await self._parts.artifacts.list(session=self._record.turn.key)
            filenames = tuple(artifact.filename for artifact in listed)
        step = ToolStep(result=result, filenames=filenames)
        number = await self._record.append(step)
        for update in results_of(number, step):
            self._feed.send(update)


def _refused(call: ToolCall, fault: ToolFault) -> ToolResult:
    return ToolResult(id=call.id, name=call.name, status="error", error=fault)
