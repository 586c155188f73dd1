"""The routes of each function, as it declares them."""

from __future__ import annotations

import re
from functools import cache

from shared.web.endpoint import Endpoint
from shared.web.system import SYSTEM_ROUTES


@cache
def routes() -> dict[str, tuple[Endpoint, ...]]:
    """Target -> its routes, without those that every function has."""
    from functions.artifacts.routes import ROUTES as ARTIFACTS
    from functions.chat.routes import ROUTES as CHAT
    from functions.events.bridge_routes import ROUTES as BRIDGE
    from functions.events.routes import ROUTES as EVENTS
    from functions.tools.routes import ROUTES as TOOLS

    every = {
        "chat": CHAT,
        "tools": TOOLS,
        "artifacts": ARTIFACTS,
        "events": EVENTS,
        "nats_bridge": BRIDGE,
    }
    return {
        target: tuple(each for each in declared if each not in SYSTEM_ROUTES)
        for target, declared in every.items()
    }


def example(path: str) -> str:
    """A path that a route takes: its parameters filled in, those that take several segments with two."""
    return re.sub(r"\{\w+(:path)?\}", lambda found: "a/b.py" if found[1] else "a", path)


def serves(target: str, method: str, path: str) -> bool:
    """Whether a target has a route for a method on a path, exactly as it is declared."""
    return any(each.method == method and each.path == path for each in routes()[target])
