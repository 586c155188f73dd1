"""One function in a container, by its target; the chat function comes with its WebSocket."""

from __future__ import annotations

from starlette.applications import Starlette

from infra.local.gateway import ROOT, TARGETS
from shared.errors import ConfigurationError
from shared.web.function_host import function_application, serve_function


def main(target: str) -> int:
    """Serves the function until SIGINT or SIGTERM; 1 when the configuration is wrong."""
    if target == "chat":
        from functions.chat.serve import main as chat

        return chat()

    def application() -> Starlette:
        if target not in TARGETS:
            raise ConfigurationError(f"FUNCTION_TARGET: takes one of {', '.join(TARGETS)}")
        return function_application(target, ROOT / TARGETS[target])

    return serve_function(target, application, ending=_nothing_more)


async def _nothing_more() -> None:
    """These functions hold no streams: requests under way get the grace, and then the parts close."""
