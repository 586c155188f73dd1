"""Events that are taken in as spans, by OpenTelemetry's conventions for messaging.

Beneath the place that the event came with, so that a turn's trace goes on here; the request that brought it,
of another trace, is linked. Source: semantic conventions 1.41, "Messaging".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from functions.events.letters import Received
from functions.events.registry import HANDLERS
from shared.tracing.context import TraceContext, current, parse_traceparent
from shared.tracing.port import Span
from shared.tracing.spans import begin_span, span


@contextmanager
def processing(received: Sequence[Received]) -> Iterator[Sequence[Span]]:
    """A span for each event, for as long as the body takes; what is done for one alone is beneath its own."""
    with ExitStack() as ending:
        if len(received) == 1:
            yield [ending.enter_context(span(**_about(received[0])))]
            return
        spans = []
        for each in received:
            begun = begin_span(**_about(each))
            ending.callback(begun.end)
            spans.append(begun)
        yield spans


def place_of(received: Received, work: Span) -> TraceContext | None:
    """Where in a trace an event is acted upon: its span, or the place it came with, or the request's."""
    return work.context or _about(received)["parent"] or current()


def processed(work: Span, status: str) -> None:
    """Says what became of an event."""
    work.set("the0.event.status", status)


def _about(received: Received) -> dict[str, Any]:
    event, here = received.event, current()
    kind = event.type if event is not None and event.type in HANDLERS else "other"
    attributes = {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "events",
    }
    theirs = None
    if event is not None:
        attributes["messaging.message.id"] = event.id[:256]
        theirs = parse_traceparent(event.traceparent)
    if theirs is not None and here is not None and theirs.trace_id == here.trace_id:
        theirs = None
    links = (here,) if theirs is not None and here is not None else ()
    return {
        "name": f"process {kind}",
        "kind": "consumer",
        "attributes": attributes,
        "parent": theirs,
        "links": links,
    }
