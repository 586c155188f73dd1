"""The deployed chat container: the function as functions-framework builds it, with its WebSocket.

`python -m functions.chat.serve` serves on PORT and HOST (every address in the cloud) until it is stopped. The
framework by itself serves the routes only.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette

from shared.errors import AppError
from shared.resources import resources
from shared.settings import settings
from shared.version import VERSION

# Cloud Run kills ten seconds after it has asked to stop.
GRACE_SECONDS = 6


def application() -> Starlette:
    """The chat function with its WebSocket; its parts close with it."""
    from functions_framework.aio import create_asgi_app

    from functions.chat.socket_routes import add_sockets

    source = Path(__file__).with_name("main.py")
    # functions-framework has no types.
    app: Starlette = create_asgi_app("chat", str(source), "http")  # type: ignore[no-untyped-call]
    add_sockets(app)
    app.router.lifespan_context = _lifespan
    return app


async def end() -> None:
    """Interrupts the turns that run here and lets their readers know."""
    from functions.chat.socket_routes import SOCKETS

    await resources().interrupt_turns()
    await SOCKETS.close()


@contextlib.asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    resources().warm_soon()
    yield
    await resources().close()


def main() -> int:
    """Serves until SIGINT or SIGTERM; 1 when the configuration is wrong."""
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
        banner=f"the0 Agent {VERSION}: chat serves http://{host}:{{port}}",
        ending=end,
        grace_seconds=GRACE_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
