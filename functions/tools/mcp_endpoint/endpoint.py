"""`POST /mcp`: the door for assistants, by the Model Context Protocol's Streamable HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from functions.tools.mcp_endpoint.caller import Caller, check_origin, session_of
from shared.errors import UnsupportedMediaTypeError
from shared.resources import resources
from shared.settings import settings
from shared.web.body import MAX_JSON_BYTES, json_response, read_bytes

# MCP took batches out in 2025-06-18; the SDK serves none for any revision, and says so less clearly.
_NO_BATCHES = {
    "jsonrpc": "2.0",
    "id": None,
    "error": {"code": -32600, "message": "send one JSON-RPC message a request: batches are not served"},
}


async def serve_mcp(request: Request) -> Response:
    """One JSON-RPC message in, its answer out; nothing is kept between requests."""
    check_origin(request, settings())
    user_id = await resources().authenticator.user_of(request)
    caller = Caller(user_id=user_id, session_id=session_of(request))
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaTypeError("send application/json")
    body = await read_bytes(request, limit=MAX_JSON_BYTES)
    if body.lstrip()[:1] == b"[":
        return json_response(_NO_BATCHES, status=400)
    request.state.caller = caller
    exchange = await asyncio.to_thread(_load)
    # Starlette awaits what a handler returns as an ASGI application, and a Response is only one of those.
    return cast(Response, exchange(body))


@cache
def _load() -> Callable[[bytes], ASGIApp]:
    """The SDK and our handlers: their import takes about a second, so the first MCP request pays for it."""
    from functions.tools.mcp_endpoint.exchange import Exchange

    return Exchange
