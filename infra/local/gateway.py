"""The local gateway: the functions on one port, each built by functions-framework as when deployed.

`python -m infra.local.gateway` migrates the embedded database, serves until stopped, and ends at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from functions_framework.aio import create_asgi_app
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import AppError
from shared.resources import resources
from shared.settings import Settings, settings
from shared.version import VERSION
from shared.web.serving import serve

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 2
# Target -> its source file.
TARGETS = {
    "chat": "functions/chat/main.py",
    "tools": "functions/tools/main.py",
    "artifacts": "functions/artifacts/main.py",
    "events": "functions/events/main.py",
    "nats_bridge": "functions/events/nats_bridge.py",
}
# The first prefix that fits takes the request, as the URL map does in the cloud; chat takes the rest.
PREFIXES: tuple[tuple[str, str], ...] = (
    ("/artifacts", "artifacts"),
    ("/tools", "tools"),
    ("/api/docs", "tools"),
    ("/mcp", "tools"),
    ("/events", "events"),
    ("/nats", "nats_bridge"),
)


class Gateway:
    """Sends each request to the function whose paths it falls under."""

    def __init__(self) -> None:
        from functions.chat.socket_routes import add_sockets

        apps: dict[str, Starlette] = {
            # functions-framework has no types.
            target: create_asgi_app(  # type: ignore[no-untyped-call]
                target, str(ROOT / source), "http"
            )
            for target, source in TARGETS.items()
        }
        add_sockets(apps["chat"])
        self._apps: dict[str, ASGIApp] = {**apps}
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
    from functions.events.bridge_routes import ROUTES as BRIDGE
    from functions.events.routes import ROUTES as EVENTS
    from functions.tools.routes import ROUTES as TOOLS
    from shared.web.openapi import openapi

    return openapi((*CHAT, *TOOLS, *ARTIFACTS, *EVENTS, *BRIDGE))


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
    from functions.chat.serve import end

    try:
        current = settings()
        gateway = Gateway()
    except AppError as error:
        sys.stderr.write(f"{error.code}: {error.message}\n")
        return 1
    return serve(
        gateway, current, host=current.host, banner=banner(current), ending=end, grace_seconds=GRACE_SECONDS
    )


if __name__ == "__main__":
    sys.exit(main())
