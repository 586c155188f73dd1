"""`Tracer` over OpenTelemetry's SDK: samples, batches, exports by OTLP.

Nothing is set up process-wide: libraries that would add spans of their own find no tracer, so that what is
collected is what is written here, without prompts, arguments or addresses.
"""

from __future__ import annotations

import atexit
import signal
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as VendorSpan
from opentelemetry.trace import Tracer as VendorTracer

from shared.tracing.context import TraceContext
from shared.tracing.port import Kind, Value

_KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
# What ends after the process was told to stop is sent at once, for the process may end at any moment.
_STOPPING_SECONDS = 2.0


class OtelSpan:
    """`Span` over one of the SDK's."""

    __slots__ = ("_span", "context")

    def __init__(self, span: VendorSpan) -> None:
        self._span = span
        found = span.get_span_context()
        self.context = TraceContext(
            f"{found.trace_id:032x}", f"{found.span_id:016x}", bool(found.trace_flags & TraceFlags.SAMPLED)
        )

    def name(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, name: str, value: Value | None) -> None:
        if value is not None:
            self._span.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR, kind))

    def end(self) -> None:
        self._span.end()


class OtelTracer:
    """Spans of one process. The SDK's threads begin with the first span: servers fork before it."""

    def __init__(
        self,
        *,
        make_exporter: Any,
        resource: Mapping[str, str],
        sampler: str,
        ratio: float,
        delay_ms: int | None,
    ) -> None:
        self._make_exporter = make_exporter
        self._resource = resource
        self._sampler = sampler_of(sampler, ratio)
        self._delay_ms = delay_ms
        self._opening = threading.Lock()
        self._tracer: VendorTracer | None = None
        self._processor: BatchSpanProcessor | None = None

    def begin(
        self,
        name: str,
        *,
        kind: Kind,
        parent: TraceContext | None,
        links: tuple[TraceContext, ...],
        attributes: Mapping[str, Value],
    ) -> OtelSpan:
        tracer = self._tracer or self._opened()
        span = tracer.start_span(
            name,
            context=Context() if parent is None else set_span_in_context(_remote(parent), Context()),
            kind=_KINDS[kind],
            attributes=dict(attributes),
            links=[Link(_span_context(link)) for link in links],
            record_exception=False,
            set_status_on_exception=False,
        )
        return OtelSpan(span)

    def flush(self) -> None:
        if self._processor is not None:
            self._processor.force_flush()

    def _opened(self) -> VendorTracer:
        with self._opening:
            if self._tracer is None:
                exporter: SpanExporter = self._make_exporter()
                processor = _UntilTheEnd(exporter, schedule_delay_millis=self._delay_ms)
                provider = TracerProvider(
                    sampler=self._sampler,
                    resource=Resource.create(dict(self._resource)),
                    shutdown_on_exit=False,
                )
                provider.add_span_processor(processor)
                atexit.register(provider.shutdown)
                _flush_at(signal.SIGTERM, processor)
                self._processor = processor
                self._tracer = provider.get_tracer("the0-agent")
            return self._tracer


class _UntilTheEnd(BatchSpanProcessor):
    """Batches, until the process is told to stop: from then on a span is sent when it ends."""

    is_stopping = False

    def on_end(self, span: Any) -> None:
        super().on_end(span)
        if self.is_stopping:
            self.force_flush()


def _flush_at(number: signal.Signals, processor: _UntilTheEnd) -> None:
    """Sends what waits when the signal comes, then lets the server's own handler stop it.

    Under gunicorn a worker ends by the signal itself, when it has served its last request: nothing that is
    registered for the end of a process runs then.
    """
    before = signal.getsignal(number)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        processor.is_stopping = True
        # Not here: the signal may have come while this very thread held a lock of the processor's.
        sending = threading.Thread(target=processor.force_flush, daemon=True)
        sending.start()

        def then() -> None:
            sending.join(_STOPPING_SECONDS)
            before(signum, frame)

        threading.Thread(target=then, daemon=True).start()

    signal.signal(number, stop)


def sampler_of(name: str, ratio: float) -> sampling.Sampler:
    """The sampler of OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG."""
    known: dict[str, sampling.Sampler] = {
        "always_on": sampling.ALWAYS_ON,
        "always_off": sampling.ALWAYS_OFF,
        "traceidratio": sampling.TraceIdRatioBased(ratio),
    }
    root = known[name.removeprefix("parentbased_")]
    return sampling.ParentBased(root) if name.startswith("parentbased_") else root


def _remote(context: TraceContext) -> NonRecordingSpan:
    return NonRecordingSpan(_span_context(context))


def _span_context(context: TraceContext) -> SpanContext:
    return SpanContext(
        trace_id=int(context.trace_id, 16),
        span_id=int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if context.sampled else TraceFlags.DEFAULT),
    )
