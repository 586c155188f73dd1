"""Runs tool calls in this process: validate, run within the deadline, turn every outcome into a result."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from shared.approvals import Asked
from shared.errors import AppError, ApprovalConflictError, ToolError, ToolNotFoundError
from shared.keys import SessionKey
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec
from shared.tools.port import CallOrigin, Tool, ToolContext, ToolServices, effect_id
from shared.tools.repeating import RepeatedCallFiles

_log = logging.getLogger(__name__)


class LocalToolRunner:
    """`ToolRunner` over a tuple of tools."""

    def __init__(self, *, tools: tuple[Tool, ...], services: ToolServices) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._services = services
        self._catalogue: tuple[ToolSpec, ...] | None = None

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        if self._catalogue is None:
            self._catalogue = tuple(tool.spec for tool in self._tools.values())
        return self._catalogue

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolNotFoundError(
                f"there is no tool {call.name[:64]!r}; there are {', '.join(self._tools)}"
            )
        context = ToolContext(
            call_id=call.id if origin is None else effect_id(origin.turn_id, call.id),
            session=session,
            services=self._services_of(origin),
            origin=origin,
        )
        started = time.perf_counter()
        value, fault = await self._outcome(tool, call, context)
        return ToolResult(
            id=call.id,
            name=call.name,
            status="error" if fault else "ok",
            result=value,
            error=fault,
            duration_ms=round((time.perf_counter() - started) * 1000),
            artifacts=tuple(context.saved),
            untrusted=tool.untrusted,
        )

    def _services_of(self, origin: CallOrigin | None) -> ToolServices:
        services = self._services
        if origin is None or origin.repeated is None:
            return services
        files = RepeatedCallFiles(files=services.artifacts, turn_id=origin.turn_id, repeated=origin.repeated)
        return replace(services, artifacts=files)

    async def _outcome(
        self, tool: Tool, call: ToolCall, context: ToolContext
    ) -> tuple[Any, ToolFault | None]:
        try:
            arguments = tool.arguments_model.model_validate(call.arguments)
        except ValidationError as error:
            return None, ToolFault(code="invalid_arguments", message=_explain(error))
        refusal = self._refusal(tool, call, context)
        if refusal is not None:
            return None, refusal
        values = {name: getattr(arguments, name) for name in type(arguments).model_fields}
        try:
            async with asyncio.timeout(tool.timeout):
                answer = await tool.function(context, **values)
            return tool.result_adapter.dump_python(answer, mode="json"), None
        except ToolError as error:
            fault = ToolFault(code=error.tool_code, message=error.message, retryable=error.tool_retryable)
        except AppError as error:
            fault = ToolFault(code=error.code, message=error.message, retryable=error.retryable)
        except TimeoutError:
            fault = ToolFault(
                code="timeout", message=f"the tool took more than {tool.timeout:g} s", retryable=True
            )
        # The border of the tool: whatever else it raises must not end the turn, and must not leak.
        except Exception:  # noqa: BLE001
            _log.exception("tool failed", extra={"tool": call.name, "call_id": call.id})
            fault = ToolFault(code="internal_error", message=f"the tool failed (call {call.id})")
        return None, fault

    def _refusal(self, tool: Tool, call: ToolCall, context: ToolContext) -> ToolFault | None:
        """Why a tool that needs the user's yes may not run; None when it may."""
        if not tool.requires_approval:
            return None
        signer, session = self._services.approvals, context.session
        grant = context.origin.grant if context.origin else None
        # From another process the call comes under its id outside, and the grant is for the model's.
        if (
            signer is None
            or session is None
            or context.origin is None
            or grant is None
            or call.id not in (grant.call_id, effect_id(context.origin.turn_id, grant.call_id))
        ):
            return ToolFault(
                code="approval_required",
                message="this tool runs only inside a chat turn, after the user's yes to exactly this call",
            )
        asked = Asked(
            session=session,
            turn_id=context.origin.turn_id,
            call_id=grant.call_id,
            name=call.name,
            arguments=call.arguments,
            artifacts_sha256=grant.artifacts_sha256,
            expires_at=grant.expires_at,
        )
        try:
            signer.check("grant", asked, grant.token, self._services.clock())
        except ApprovalConflictError as error:
            return ToolFault(code="approval_required", message=error.message)
        return None


def _explain(error: ValidationError) -> str:
    """Each wrong argument by name and what it takes; never the value."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc']) or 'arguments'}: {item['msg']}"
        for item in error.errors(include_input=False, include_context=False, include_url=False)
    )
