"""One function as a process of a container: as functions-framework builds it, served by uvicorn.

The framework runs no lifespan of an inner application, so what the function opened is closed here.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette

from shared.errors import AppError
from shared.resources import resources
from shared.settings import settings
from shared.version import VERSION

# Cloud Run and Docker kill ten seconds after they have asked to stop.
GRACE_SECONDS = 6


def function_application(target: str, source: Path) -> Starlette:
    """The function, whose parts close with it."""
    from functions_framework.aio import create_asgi_app

    # functions-framework has no types.
    app: Starlette = create_asgi_app(target, str(source), "http")  # type: ignore[no-untyped-call]
    app.router.lifespan_context = _lifespan
    return app


def serve_function(
    target: str, application: Callable[[], Starlette], *, ending: Callable[[], Awaitable[None]]
) -> int:
    """Serves until SIGINT or SIGTERM, when `ending` runs first; 1 when the configuration is wrong."""
    from shared.web.serving import host_of, serve

    try:
        current = settings()
        app = application()
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    host = host_of(current)
    return serve(
        app,
        current,
        host=host,
        banner=f"the0 Agent {VERSION}: {target} serves http://{host}:{{port}}",
        ending=ending,
        grace_seconds=GRACE_SECONDS,
    )


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    resources().warm_soon()
    yield
    await resources().close()
