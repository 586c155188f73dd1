"""A function's ASGI application from its endpoints: routing, request ids, errors, one log line a request."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import (
    AppError,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
)
from shared.ids import new_id
from shared.log_context import bound
from shared.web.endpoint import Endpoint
from shared.web.errors import problem_response
from shared.web.telemetry import Telemetry
from shared.web.tracing import answered, request_span

_log = logging.getLogger("request")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def build_app(endpoints: Iterable[Endpoint], *, telemetry: Telemetry | None = None) -> Starlette:
    """The application that serves the endpoints."""
    return Starlette(
        routes=[Route(e.path, e.handler, methods=[e.method], name=e.summary) for e in endpoints],
        middleware=[Middleware(Observed, telemetry=telemetry)],
        exception_handlers={AppError: _app_error, HTTPException: _http_error},  # type: ignore[dict-item]
    )


def note(request: Request, **facts: Any) -> None:
    """Adds ids and counts to the request's log line; never text or secrets."""
    request.scope["facts"].update(facts)


class Observed:
    """The outermost layer: gives the request its id, answers what nothing else answered, logs one line."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry | None = None) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope["request_id"] = request_id = _request_id(scope)
        scope["facts"] = {}
        with bound(request_id=request_id), request_span(scope) as work:
            status = 0

            async def answer(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                await send(message)

            try:
                await self._app(scope, receive, answer)
            # The border of the web: the caller gets an answer in the contract's form whatever went wrong.
            except Exception:  # noqa: BLE001
                _log.exception("request failed")
                if status == 0:
                    error = InternalError("something of ours went wrong; tell us the request id")
                    response = problem_response(error, instance=scope["path"], request_id=request_id)
                    await response(scope, receive, answer)
            finally:
                route = getattr(scope.get("route"), "path", "") or "unmatched"
                answered(work, scope, route=route, status=status)
                self._tell(scope, route, status, time.perf_counter() - started)

    def _tell(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        if _log.isEnabledFor(logging.INFO):
            _log.info(
                "request",
                extra={
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "duration_ms": round(seconds * 1000, 2),
                    **scope["facts"],
                },
            )
        if self._telemetry is not None:
            self._telemetry.request(scope["facts"].get("model", ""), route, status, seconds)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text: str = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(text):
                return text
    return new_id()


async def _app_error(request: Request, error: AppError) -> Response:
    note(request, code=error.code)
    return problem_response(error, instance=request.url.path, request_id=request.scope["request_id"])


async def _http_error(request: Request, error: HTTPException) -> Response:
    mapped: AppError
    if error.status_code == 404:
        mapped = NotFoundError(f"nothing is served at {request.url.path[:200]}")
    elif error.status_code == 405:
        mapped = MethodNotAllowedError(f"{request.method} is not served here")
    else:
        mapped = InvalidRequestError("the request cannot be read")
    response = await _app_error(request, mapped)
    response.headers.update(error.headers or {})
    return response
