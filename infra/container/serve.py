"""One function in a container: as functions-framework builds it, served by uvicorn, with an orderly end.

The chat function is served with its WebSocket.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from infra.local.gateway import ROOT, TARGETS
from shared.errors import AppError, ConfigurationError
from shared.resources import resources
from shared.settings import settings
from shared.version import VERSION

# What is under way when it is to stop has so long; Docker kills after ten seconds.
GRACE_SECONDS = 6


def application(target: str) -> Starlette:
    """The function's application, whose parts close with it."""
    from functions_framework.aio import create_asgi_app

    # functions-framework has no types.
    app: Starlette = create_asgi_app(  # type: ignore[no-untyped-call]
        target, str(ROOT / TARGETS[target]), "http"
    )
    app.router.lifespan_context = _lifespan
    return app


def main(target: str) -> int:
    """Serves the function until SIGINT or SIGTERM; 1 when the configuration is wrong."""
    from shared.web.serving import host_of, serve

    if target == "chat":
        from functions.chat.serve import main as chat

        return chat()
    try:
        if target not in TARGETS:
            raise ConfigurationError(f"FUNCTION_TARGET: takes one of {', '.join(TARGETS)}")
        current = settings()
        app = application(target)
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    host = host_of(current)
    return serve(
        app,
        current,
        host=host,
        banner=f"the0 Agent {VERSION}: {target} serves http://{host}:{{port}}",
        ending=_nothing_more,
        grace_seconds=GRACE_SECONDS,
    )


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    resources().warm_soon()
    yield
    await resources().close()


async def _nothing_more() -> None:
    """These functions hold no streams: requests under way get the grace, and then the parts close."""
