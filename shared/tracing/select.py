"""Whether spans are collected, and where they go: by OpenTelemetry's own variables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shared.ids import new_id
from shared.settings import Settings
from shared.tracing.spans import is_tracing, use_tracer
from shared.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from shared.tracing.otel import OtelTracer

# Cloud Run may take the processor away when the answer is out: spans are not to wait there for long.
_CLOUD_DELAY_MS = 200


def configure_tracing(settings: Settings) -> None:
    """Collects spans from now on, where an exporter is configured; else nothing of the SDK is imported."""
    if settings.traces_exporter is not None and not is_tracing():
        use_tracer(open_tracer(settings))


def open_tracer(settings: Settings) -> OtelTracer:
    """The tracer of the settings, which name an exporter."""
    from shared.tracing.otel import OtelTracer

    delay = settings.otel_bsp_schedule_delay
    if delay is None and settings.k_service is not None:
        delay = _CLOUD_DELAY_MS
    return OtelTracer(
        make_exporter=_exporter(settings),
        resource=resource_of(settings),
        sampler=settings.otel_traces_sampler,
        ratio=settings.otel_traces_sampler_arg,
        delay_ms=delay,
    )


def resource_of(settings: Settings) -> dict[str, str]:
    """What names this process in a trace, over which OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME go."""
    found = {
        "service.name": settings.otel_service_name or settings.k_service or "the0-agent",
        "service.version": VERSION,
        "service.instance.id": new_id(),
    }
    if settings.google_cloud_project is not None:
        found["gcp.project_id"] = settings.google_cloud_project
    return found


def _exporter(settings: Settings) -> Callable[[], SpanExporter]:
    if settings.traces_exporter == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return lambda: ConsoleSpanExporter(out=sys.stdout)
    protocol = settings.otel_exporter_otlp_traces_protocol or settings.otel_exporter_otlp_protocol
    named: dict[str, Any] = {}
    if settings.otlp_headers is not None:
        named["headers"] = headers_of(settings.otlp_headers.get_secret_value())
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

        endpoint = settings.otel_exporter_otlp_traces_endpoint or settings.otel_exporter_otlp_endpoint
        return lambda: OverGrpc(endpoint=endpoint, **named)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    from shared.tracing.google import session_for

    url = settings.otlp_traces_url
    return lambda: OTLPSpanExporter(endpoint=url, session=session_for(url), **named)


def headers_of(text: str) -> dict[str, str]:
    """The headers of OTEL_EXPORTER_OTLP_HEADERS: `name=value` pairs separated by commas, percent-encoded."""
    from urllib.parse import unquote

    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in pairs}
