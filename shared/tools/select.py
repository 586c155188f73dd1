"""Where tools run; adapters are imported only when chosen."""

from __future__ import annotations

from shared.artifacts.port import Artifacts
from shared.clock import utc_now
from shared.settings import Settings
from shared.tools.port import ToolRunner, ToolServices


def open_tools(settings: Settings, artifacts: Artifacts) -> ToolRunner:
    """The tool runner of the settings: in this process."""
    from shared.browsing.resolver import SystemResolver
    from shared.tools.registry import TOOLS
    from shared.tools.runner import LocalToolRunner

    services = ToolServices(artifacts=artifacts, settings=settings, resolver=SystemResolver(), clock=utc_now)
    return LocalToolRunner(tools=TOOLS, services=services)
