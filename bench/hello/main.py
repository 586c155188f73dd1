"""The smallest function there can be, for the start-up time of the host alone."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


@functions_framework.aio.http
async def hello(request: Request) -> Response:
    """One word."""
    return PlainTextResponse("hello")
