"""A collector of traces that takes OTLP over HTTP, for tests: what it was sent, as spans by name."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_ERROR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedSpan:
    """One span, its ids in hex; `parent_id` is empty for the first of a trace."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any] = field(repr=False)
    links: tuple[tuple[str, str], ...]
    failed: bool
    status: str


class OtlpServer:
    """What was collected, and with which headers."""

    def __init__(self) -> None:
        self.spans: list[CollectedSpan] = []
        self.headers: list[dict[str, str]] = []
        # Bodies as they came, to look for what must not be in them.
        self.bodies: list[bytes] = []
        self.url = ""
        self._changed = threading.Condition()

    def settings(self, service: str = "") -> dict[str, str]:
        """What a process is told to be collected here, without delay."""
        named = {"OTEL_SERVICE_NAME": service} if service else {}
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50", **named}

    def until(self, holds: Callable[[list[CollectedSpan]], bool], seconds: float = 30) -> list[CollectedSpan]:
        """The spans when the condition holds; fails when it does not in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not holds(self.spans):
                assert self._changed.wait(max(0, deadline - time.monotonic())), "\n".join(
                    map(str, self.spans)
                )
            return list(self.spans)

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Keeps what one request brought."""
        found = [*_spans(ExportTraceServiceRequest.FromString(body))]
        with self._changed:
            self.headers.append(headers)
            self.bodies.append(body)
            self.spans.extend(found)
            self._changed.notify_all()


def tree(spans: list[CollectedSpan], trace_id: str) -> dict[str, list[str]]:
    """The names of a trace: each with the chain of those above it, from the root down."""
    by_id = {span.span_id: span for span in spans}
    chains: dict[str, list[str]] = {}
    for span in spans:
        if span.trace_id != trace_id:
            continue
        chain: list[str] = []
        above = span
        while above.parent_id in by_id:
            above = by_id[above.parent_id]
            chain.insert(0, above.name)
        chains.setdefault(span.name, []).append(" > ".join(chain))
    return chains


def _spans(request: ExportTraceServiceRequest) -> Iterator[CollectedSpan]:
    for resource in request.resource_spans:
        service = _values(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield CollectedSpan(
                    service=service,
                    name=span.name,
                    kind=_KINDS[span.kind],
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes=_values(span.attributes),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    failed=span.status.code == _ERROR,
                    status=span.status.message,
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def otlp_server() -> Iterator[OtlpServer]:
    """A running collector on a port of its own."""
    collector = OtlpServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/traces"
            if known:
                collector.take({name.lower(): value for name, value in self.headers.items()}, body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if known else 404)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
