"""Runs a tool call that its caller named by an id once in a session, whoever repeats it and where."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping

from shared.clock import Clock
from shared.errors import AppError, UnprocessableError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolCallStore, ToolClaim
from shared.tools.port import CallOrigin, ToolRunner

_log = logging.getLogger(__name__)

# Over a tool's own deadline: its end has to be recorded within the lease.
_MARGIN_SECONDS = 15.0
# Never the same twice, also after a release: an earlier claim must not fit a later one.
_TOKEN_BITS = 62
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_MISMATCH = ToolFault(
    code="call_id_mismatch", message="this call_id was used with another tool or arguments: take a new one"
)
_IN_PROGRESS = ToolFault(
    code="call_in_progress",
    message="a call with this call_id is still running: repeat it later",
    retryable=True,
)


class OnceToolRunner:
    """`ToolRunner` over another: the same call id in a session runs once, also across processes.

    A repeat with the same tool and arguments gets the recorded result; with others, an error result
    `call_id_mismatch`. A repeat of a call that still runs waits up to `wait_seconds` for its end, and then
    gets `call_in_progress`, which may be tried again. Not recorded, so that a repeat runs: a failure
    that says it is retryable. A call whose process died blocks its id for the tool's deadline and a margin;
    then a repeat runs again, also of a tool that is not read-only, whose first run may have had its effect.

    `deadlines` gives each tool's, in seconds. A call without a session is run as it comes.
    """

    def __init__(
        self,
        *,
        runner: ToolRunner,
        calls: ToolCallStore,
        deadlines: Mapping[str, float],
        clock: Clock,
        wait_seconds: float = 10.0,
    ) -> None:
        self._runner = runner
        self._calls = calls
        self._deadlines = deadlines
        self._clock = clock
        self._wait_seconds = wait_seconds

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        return await self._runner.catalogue()

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        """As `ToolRunner.run`.

        Raises:
            ToolNotFoundError: there is no such tool.
            SessionNotFoundError: the user has no such session.
            StoreUnavailableError: nothing was run.
        """
        deadline = self._deadlines.get(call.name)
        if session is None or deadline is None:
            return await self._runner.run(call=call, session=session, origin=origin)
        arguments_hash = _hash(call)
        give_up = time.monotonic() + self._wait_seconds
        while True:
            outcome = await self._calls.claim_tool_call(
                call=NewToolCall(
                    key=session,
                    call_id=call.id,
                    name=call.name,
                    arguments_hash=arguments_hash,
                    now=self._clock(),
                    lease_seconds=deadline + _MARGIN_SECONDS,
                    token=secrets.randbits(_TOKEN_BITS),
                )
            )
            if isinstance(outcome, ToolClaim):
                return await self._claimed(outcome, call, session, origin)
            if (outcome.name, outcome.arguments_hash) != (call.name, arguments_hash):
                return _error(call, _MISMATCH)
            if outcome.result is not None:
                return outcome.result
            if not await self._ended(session, call.id, outcome, give_up):
                return _error(call, _IN_PROGRESS)

    async def _claimed(
        self, claim: ToolClaim, call: ToolCall, session: SessionKey, origin: CallOrigin | None
    ) -> ToolResult:
        try:
            result = await self._runner.run(call=call, session=session, origin=origin)
        except BaseException:
            await self._release(claim)
            raise
        if result.error is not None and result.error.retryable:
            await self._release(claim)
            return result
        try:
            await self._calls.complete_tool_call(claim=claim, result=result)
        except AppError as error:
            # The tool has run: its caller gets the result, and a repeat may run it again.
            _log.warning("tool result not recorded", extra={"call_id": call.id, "code": error.code})
        return result

    async def _release(self, claim: ToolClaim) -> None:
        try:
            await asyncio.shield(self._calls.release_tool_call(claim=claim))
        except AppError as error:
            # Its lease frees it.
            _log.warning("tool claim not released", extra={"call_id": claim.call_id, "code": error.code})

    async def _ended(
        self, session: SessionKey, call_id: str, record: RecordedToolCall | None, give_up: float
    ) -> bool:
        """Waits until another's call has ended or its claim is free; False when it took too long."""
        pause = _FIRST_PAUSE
        while record is not None and record.result is None and self._clock() < record.lease_until:
            left = give_up - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            record = await self._calls.load_tool_call(key=session, call_id=call_id)
        return True


def _hash(call: ToolCall) -> str:
    """The same for the same JSON arguments, in whatever order their members come."""
    try:
        canonical = json.dumps(call.arguments, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise UnprocessableError("arguments: nested too deeply") from error
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _error(call: ToolCall, fault: ToolFault) -> ToolResult:
    return ToolResult(id=call.id, name=call.name, status="error", error=fault)
