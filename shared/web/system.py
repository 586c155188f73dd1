"""The routes that every function has: health, metrics, version, its own OpenAPI document."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from shared.resources import resources
from shared.settings import settings
from shared.tracing.select import configure_tracing
from shared.version import VERSION
from shared.web.app import build_app
from shared.web.body import json_response
from shared.web.endpoint import Endpoint
from shared.web.logs import configure_logs
from shared.web.services import require_direct


async def health(request: Request) -> Response:
    """`GET /health`: the parts asked, 503 when a vital one is down."""
    status, report = await resources().health.report()
    resources().warm_soon()
    return json_response(report, status=status)


async def live(request: Request) -> Response:
    """`GET /livez` and `GET /health/live`: the process answers; nothing else is asked."""
    return json_response({"status": "alive"})


async def metrics(request: Request) -> Response:
    """`GET /metrics`: Prometheus' text format, for who asks this process itself, or is a service."""
    await require_direct(request)
    return Response(resources().telemetry.text(), media_type="text/plain; version=0.0.4")


async def version(request: Request) -> Response:
    """`GET /version`."""
    current = settings()
    return json_response(
        {"version": VERSION, "commit_hash": current.commit_hash, "build_date": current.build_date}
    )


SYSTEM_ROUTES: tuple[Endpoint, ...] = (
    Endpoint(method="GET", path="/health", handler=health, summary="What works", public=True, errors=(503,)),
    Endpoint(
        method="GET", path="/health/live", handler=live, summary="Whether the process answers", public=True
    ),
    Endpoint(
        method="GET",
        path="/livez",
        handler=live,
        summary="The same, for probes",
        public=True,
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        handler=metrics,
        summary="Prometheus metrics, for who asks the process itself (through a proxy: services only)",
        media_type="text/plain",
        public=True,
        errors=(401, 403),
    ),
    Endpoint(method="GET", path="/version", handler=version, summary="The running version", public=True),
)


def function_app(routes: tuple[Endpoint, ...], *, runs_code: bool = False) -> Starlette:
    """The application of a function; stops the start when the configuration is wrong.

    Of one that `runs_code` of bots, health tells of the sandbox too.
    """
    configure_logs(settings())
    configure_tracing(settings())
    if runs_code:
        resources().ask_sandbox()
    return build_app(routes, telemetry=resources().telemetry)
