"""The deployed target `events`: events in, and on demand those that wait out."""

import pathlib
import sys
from typing import cast

# functions-framework puts this file's folder on the path, not the repository's root.
ROOT = str(pathlib.Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

import functions_framework.aio  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402

from functions.events.routes import app  # noqa: E402


@functions_framework.aio.http
async def events(request: Request) -> Response:
    """Hands the request to the routes: under this framework an answer may be any ASGI application."""
    return cast(Response, app)
