"""What a handler learns of the HTTP request that it answers."""

from __future__ import annotations

from typing import Any

from mcp.server.context import ServerRequestContext
from starlette.requests import Request

from functions.tools.mcp_endpoint.caller import Caller
from shared.errors import InternalError

Context = ServerRequestContext[Any, Any]


def request_of(context: Context) -> Request:
    """The HTTP request."""
    if not isinstance(context.request, Request):
        raise InternalError("the request came by another way than HTTP")
    return context.request


def caller_of(context: Context) -> Caller:
    """The authenticated caller, as the endpoint left it."""
    caller: Caller = request_of(context).state.caller
    return caller
