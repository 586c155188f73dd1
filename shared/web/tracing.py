"""The part of a trace that a request is, by OpenTelemetry's conventions for HTTP; routes, and no queries."""

from __future__ import annotations

from contextlib import AbstractContextManager

from starlette.types import Scope

from shared.tracing.context import incoming
from shared.tracing.port import Span
from shared.tracing.spans import Within, is_tracing, span

# What asks for these asks every few seconds, and for no user.
_QUIET = frozenset(
    {"/health", "/health/live", "/livez", "/metrics", "/nats/health", "/nats/metrics", "/version"}
)


def request_span(scope: Scope) -> AbstractContextManager[Span]:
    """A span around the request, beneath whatever its headers name."""
    parent = incoming(scope["headers"])
    if not is_tracing() or scope["path"] in _QUIET:
        return Within(parent)
    attributes = {
        "http.request.method": scope["method"],
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    return span(scope["method"], "server", attributes, parent=parent)


def answered(work: Span, scope: Scope, *, route: str, status: int) -> None:
    """Says what the request was and came to; status 0: nothing was answered."""
    work.name(f"{scope['method']} {route}")
    work.set("http.route", route)
    work.set("http.response.status_code", status or None)
    for fact, attribute in (("session_id", "gen_ai.conversation.id"), ("tool", "gen_ai.tool.name")):
        work.set(attribute, scope["facts"].get(fact))
    if status >= 500:
        work.fail(scope["facts"].get("code") or str(status))
