"""The local gateway: the four functions on one port, each built by functions-framework as when deployed.

`python -m infra.local.gateway` migrates the embedded database, serves until stopped, and ends at once.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from pathlib import Path
from typing import Any, cast

import uvicorn
from functions_framework.aio import create_asgi_app
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import AppError
from shared.resources import resources
from shared.settings import Settings, settings
from shared.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("chat", "tools", "artifacts", "events")
# The first prefix that fits takes the request, as the URL map does in the cloud; chat takes the rest.
PREFIXES: tuple[tuple[str, str], ...] = (
    ("/artifacts", "artifacts"),
    ("/tools", "tools"),
    ("/api/docs", "tools"),
    ("/mcp", "tools"),
    ("/events", "events"),
)


class Gateway:
    """Sends each request to the function whose paths it falls under."""

    def __init__(self) -> None:
        self._apps: dict[str, ASGIApp] = {
            # functions-framework has no types.
            target: create_asgi_app(  # type: ignore[no-untyped-call]
                target, str(ROOT / "functions" / target / "main.py"), "http"
            )
            for target in TARGETS
        }
        self._openapi: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope.get("path") == "/openapi.json":
            await self._document(scope, receive, send)
        else:
            await self._apps[target_of(scope["path"])](scope, receive, send)

    async def _document(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import Response

        if self._openapi is None:
            import orjson

            self._openapi = orjson.dumps(contract())
        await Response(self._openapi, media_type="application/json")(scope, receive, send)


def contract() -> dict[str, Any]:
    """The OpenAPI document of all functions together."""
    from functions.artifacts.routes import ROUTES as ARTIFACTS
    from functions.chat.routes import ROUTES as CHAT
    from functions.events.routes import ROUTES as EVENTS
    from functions.tools.routes import ROUTES as TOOLS
    from shared.web.openapi import openapi

    return openapi((*CHAT, *TOOLS, *ARTIFACTS, *EVENTS))


def target_of(path: str) -> str:
    """The function that serves a path."""
    for prefix, target in PREFIXES:
        if path == prefix or path.startswith(prefix + "/"):
            return target
    return "chat"


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    resources().warm_soon()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await resources().close()
    await send({"type": "lifespan.shutdown.complete"})


class _Server(uvicorn.Server):
    """Says where it serves when it does, and lets go of open streams when it is told to stop."""

    def __init__(self, config: uvicorn.Config, banner: str) -> None:
        super().__init__(config)
        self._banner = banner

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            sys.stdout.write(self._banner.format(port=port) + "\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # First, so that open streams tell their readers how their turns ended.
        await resources().interrupt_turns()
        await super().shutdown(sockets=sockets)


def banner(current: Settings) -> str:
    """One line: the address, and which model answers; `{port}` is filled in when it is known."""
    host = "localhost" if current.host in ("127.0.0.1", "0.0.0.0") else current.host  # noqa: S104
    model = (
        f"model {current.gemini_model}"
        if current.provider == "gemini"
        else "no GEMINI_API_KEY, so the offline planner answers"
    )
    return f"the0 Agent {VERSION} serves http://{host}:{{port}} ({model})"


def main() -> int:
    """Serves until SIGINT or SIGTERM; 1 when the configuration is wrong."""
    try:
        current = settings()
        gateway = Gateway()
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    config = uvicorn.Config(
        cast(Any, gateway),
        host=current.host,
        port=current.port,
        log_config=None,
        access_log=False,
        lifespan="on",
        loop="uvloop",
        http="httptools",
        timeout_graceful_shutdown=2,
        server_header=False,
        backlog=4096,
    )
    server = _Server(config, banner(current))
    # uvicorn raises the signal again when it has stopped: both ways of stopping end well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
