"""Events on their way out as spans, by OpenTelemetry's conventions for messaging.

Beneath the place that the event was caused at, which the outbox remembers: the event then goes out with the
place of its sending, so that whoever hears of it goes on there.

Source: OpenTelemetry semantic conventions 1.41, "Messaging spans".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from shared.events.envelope import CloudEvent
from shared.tracing.context import parse_traceparent
from shared.tracing.port import Span
from shared.tracing.spans import begin_span, told


@contextmanager
def sending(event: CloudEvent, *, system: str, to: str) -> Iterator[tuple[CloudEvent, Span]]:
    """The event as it is to go out, and the span of that; ends with the body."""
    with sending_all((event,), system=system, to=to) as sent:
        yield sent[0]


@contextmanager
def sending_all(
    events: Sequence[CloudEvent], *, system: str, to: str
) -> Iterator[Sequence[tuple[CloudEvent, Span]]]:
    """The same for events that go out in one request."""
    with ExitStack() as ending:
        sent = []
        for event in events:
            span = begin_span(
                f"send {event.type}",
                "producer",
                {
                    "messaging.system": system,
                    "messaging.operation.name": "send",
                    "messaging.operation.type": "send",
                    "messaging.destination.name": to,
                    "messaging.message.id": event.id,
                },
                parent=parse_traceparent(event.traceparent),
            )
            ending.callback(span.end)
            placed = span.context
            sent.append((event if placed is None else replace(event, traceparent=placed.traceparent), span))
        try:
            yield sent
        except BaseException as error:
            for _, span in sent:
                told(span, error)
            raise
