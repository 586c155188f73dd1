"""The deployed chat container: the function as functions-framework builds it, with its WebSocket.

`python -m functions.chat.serve` serves on PORT and HOST (every address in the cloud) until it is stopped. The
framework by itself serves the routes only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from starlette.applications import Starlette

from shared.resources import resources
from shared.web.function_host import function_application, serve_function


def application() -> Starlette:
    """The chat function with its WebSocket; its parts close with it."""
    from functions.chat.socket_routes import add_sockets

    app = function_application("chat", Path(__file__).with_name("main.py"))
    add_sockets(app)
    return app


async def end() -> None:
    """Interrupts the turns that run here and lets their readers know."""
    from functions.chat.socket_routes import SOCKETS

    await resources().interrupt_turns()
    await SOCKETS.close()


def main() -> int:
    """Serves until SIGINT or SIGTERM; 1 when the configuration is wrong."""
    return serve_function("chat", application, ending=end)


if __name__ == "__main__":
    sys.exit(main())
