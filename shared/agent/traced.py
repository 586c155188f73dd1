"""A turn as a span, by OpenTelemetry's conventions for agents; no word of what was said.

Source: OpenTelemetry semantic conventions 1.41, "Invoke agent internal span".
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from shared.tracing.context import current, parse_traceparent
from shared.tracing.port import Span, Value
from shared.tracing.spans import span
from shared.turn import ResumedStep, Turn

AGENT = "the0-agent"


def turn_span(turn: Turn) -> AbstractContextManager[Span]:
    """A span around a turn that runs here; one that was taken up again is linked to where it was begun."""
    begun = parse_traceparent(turn.request.traceparent)
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": AGENT,
        "gen_ai.conversation.id": turn.key.session_id,
        "the0.turn.id": turn.turn_id,
        "the0.turn.resumed": any(isinstance(step, ResumedStep) for step in turn.steps),
    }
    links = (begun,) if begun is not None and begun != current() else ()
    return span(f"invoke_agent {AGENT}", "internal", attributes, links=links)


def turn_told(work: Span, turn: Turn) -> None:
    """Says what the turn came to."""
    usage = turn.usage
    work.set("gen_ai.usage.input_tokens", usage.input_tokens)
    work.set("gen_ai.usage.output_tokens", usage.output_tokens)
    final = turn.final
    if final is None:
        work.set("the0.turn.status", turn.status)
        return
    work.set("the0.turn.status", final.status)
    work.set("gen_ai.response.finish_reasons", (final.finish_reason,))
    if final.status == "failed":
        work.fail(final.code or "failed")
