"""OpenTelemetry behind the port: sampling, links, and export by the standard variables."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

# grpc ships no types.
import grpc  # type: ignore[import-untyped]
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from shared.settings import read_settings
from shared.tracing.context import TraceContext
from shared.tracing.otel import OtelTracer
from shared.tracing.select import headers_of, open_tracer
from tests.servers.otlp import OtlpServer, otlp_server
from tests.shared.tracing.collecting import ELSEWHERE, PLACE


@pytest.fixture(scope="module")
def collector() -> Iterator[OtlpServer]:
    with otlp_server() as server:
        yield server


def begin(tracer: OtelTracer, name: str, parent: TraceContext | None = None) -> TraceContext:
    span = tracer.begin(name, kind="client", parent=parent, links=(ELSEWHERE,), attributes={"a": 1})
    span.name(f"{name} again")
    span.set("b", ("x", "y"))
    span.set("none", None)
    span.fail("store_unavailable")
    span.end()
    return span.context


def test_a_span_is_sent_with_all_it_was_told(collector: OtlpServer) -> None:
    variables = {
        **collector.settings("svc"),
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20abc,x-team=a",
    }
    tracer = open_tracer(read_settings(variables))
    context = begin(tracer, "told", PLACE)
    tracer.flush()
    [span] = (each for each in collector.spans if each.name == "told again")
    assert (span.service, span.kind) == ("svc", "client")
    assert (span.trace_id, span.span_id, span.parent_id) == (PLACE.trace_id, context.span_id, PLACE.span_id)
    assert span.links == ((ELSEWHERE.trace_id, ELSEWHERE.span_id),)
    assert span.attributes == {"a": 1, "b": ["x", "y"], "error.type": "store_unavailable"}
    assert (span.failed, span.status) == (True, "store_unavailable")
    assert collector.headers[-1]["authorization"] == "Basic abc"
    assert collector.headers[-1]["x-team"] == "a"


@pytest.mark.parametrize(
    ("sampler", "ratio", "parent_sampled", "is_sent"),
    [
        ("parentbased_always_on", "1", None, True),
        ("parentbased_always_on", "1", True, True),
        ("parentbased_always_on", "1", False, False),
        ("always_on", "1", False, True),
        ("always_off", "1", True, False),
        ("parentbased_always_off", "1", None, False),
        ("parentbased_always_off", "1", True, True),
        ("traceidratio", "0", True, False),
        ("parentbased_traceidratio", "0", None, False),
        ("parentbased_traceidratio", "0", True, True),
    ],
)
def test_what_is_sampled_is_the_variables_word(
    sampler: str, ratio: str, parent_sampled: bool | None, is_sent: bool, collector: OtlpServer
) -> None:
    variables = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": ratio, **collector.settings()}
    tracer = open_tracer(read_settings(variables))
    parent = None if parent_sampled is None else TraceContext("3" * 32, "4" * 16, parent_sampled)
    context = begin(tracer, "sampled", parent)
    tracer.flush()
    assert (context.span_id in {span.span_id for span in collector.spans}) is is_sent
    # Whoever is asked next decides alike.
    assert context.sampled is is_sent
    assert parent is None or context.trace_id == parent.trace_id


@contextmanager
def grpc_collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    taken: list[ExportTraceServiceRequest] = []

    def export(request: ExportTraceServiceRequest, _: object) -> ExportTraceServiceResponse:
        taken.append(request)
        return ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=ExportTraceServiceRequest.FromString,
        response_serializer=ExportTraceServiceResponse.SerializeToString,
    )
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", taken
    finally:
        server.stop(None).wait(5)


def test_by_grpc_where_the_protocol_says_so() -> None:
    with grpc_collector() as (url, taken):
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        tracer = open_tracer(read_settings(variables))
        begin(tracer, "by grpc")
        tracer.flush()
        assert [span.name for each in taken for span in each.resource_spans[0].scope_spans[0].spans] == [
            "by grpc again"
        ]


@pytest.mark.parametrize(
    ("variables", "exporter", "url"),
    [
        ({}, None, "http://localhost:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "otlp", "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, "otlp", "http://c/x"),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp", "http://localhost:4318/v1/traces"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console", "http://localhost:4318/v1/traces"),
        (
            {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"},
            None,
            "http://c/v1/traces",
        ),
        (
            {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"},
            None,
            "http://c/v1/traces",
        ),
    ],
)
def test_who_is_sent_to_is_the_variables_word(
    variables: dict[str, str], exporter: str | None, url: str
) -> None:
    settings = read_settings(variables)
    assert (settings.traces_exporter, settings.otlp_traces_url) == (exporter, url)


def test_to_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    tracer = open_tracer(read_settings({"OTEL_TRACES_EXPORTER": "console"}))
    begin(tracer, "shown")
    tracer.flush()
    assert '"name": "shown again"' in capsys.readouterr().out


def test_headers_are_read_as_the_variable_has_them() -> None:
    assert headers_of("Authorization=Bearer%20x%3D, b=2,") == {"authorization": "Bearer x=", "b": "2"}
