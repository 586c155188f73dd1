"""Where tools run; adapters are imported only when chosen."""

from __future__ import annotations

from shared.artifacts.port import Artifacts
from shared.clock import utc_now
from shared.settings import Settings
from shared.tools.port import ToolRunner, ToolServices


def open_tools(settings: Settings, artifacts: Artifacts) -> ToolRunner:
    """The tool runner of the settings: in this process; without a search service there is no search_web."""
    from shared.browsing.resolver import SystemResolver
    from shared.searching.select import select_search
    from shared.tools.registry import TOOLS
    from shared.tools.runner import LocalToolRunner

    search = select_search(settings)
    services = ToolServices(
        artifacts=artifacts,
        settings=settings,
        resolver=SystemResolver(),
        clock=utc_now,
        web_search=search,
    )
    tools = tuple(tool for tool in TOOLS if search is not None or tool.name != "search_web")
    return LocalToolRunner(tools=tools, services=services)
