"""Errors on the wire: RFC 9457 problem details."""

from __future__ import annotations

import math
from typing import Any

import orjson
from starlette.responses import Response

from shared.errors import AppError


def problem(error: AppError, *, instance: str, request_id: str) -> dict[str, Any]:
    """The problem document of an error, with its details as further members."""
    return {
        "type": f"urn:the0-agent:error:{error.code}",
        "title": error.title,
        "status": error.http_status,
        "detail": error.message,
        "instance": instance,
        "code": error.code,
        "request_id": request_id,
        **error.details,
    }


def problem_response(error: AppError, *, instance: str, request_id: str) -> Response:
    """The error as an `application/problem+json` answer, with `Retry-After` where a retry can help."""
    headers = {}
    if error.retry_after is not None or error.http_status in (429, 503):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1)))
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        orjson.dumps(problem(error, instance=instance, request_id=request_id), default=str),
        status_code=error.http_status,
        media_type="application/problem+json",
        headers=headers,
    )
