"""Tools whose calls are spans, by OpenTelemetry's conventions for generative AI; no arguments, no results.

Source: OpenTelemetry semantic conventions 1.41, "Execute tool span".
"""

from __future__ import annotations

from shared.keys import SessionKey
from shared.messages import ToolCall, ToolResult, ToolSpec
from shared.tools.port import CallOrigin, ToolRunner
from shared.tracing.spans import span


class TracedTools:
    """`ToolRunner` over another that runs tools here: a span for each call of a tool that there is."""

    def __init__(self, runner: ToolRunner) -> None:
        self._runner = runner

    async def catalogue(self) -> tuple[ToolSpec, ...]:
        return await self._runner.catalogue()

    async def run(
        self, *, call: ToolCall, session: SessionKey | None, origin: CallOrigin | None = None
    ) -> ToolResult:
        specs = await self._runner.catalogue()
        # A model may call what is not there, by any name.
        name = call.name if any(spec.name == call.name for spec in specs) else "unknown"
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": call.id[:128],
        }
        if session is not None:
            attributes["gen_ai.conversation.id"] = session.session_id
        with span(f"execute_tool {name}", "internal", attributes) as running:
            result = await self._runner.run(call=call, session=session, origin=origin)
            if result.error is not None:
                running.fail(result.error.code)
            return result
