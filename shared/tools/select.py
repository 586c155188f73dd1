"""Where tools run; adapters are imported only when chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.approvals import ApprovalSigner
from shared.artifacts.port import Artifacts
from shared.clock import utc_now
from shared.sandbox.port import Sandbox
from shared.sessions.inbound_port import BotHistory
from shared.sessions.outbox_port import EventOutbox
from shared.sessions.tool_call_port import ToolCallStore
from shared.settings import Settings
from shared.shared_cache import SharedCache
from shared.tools.port import ToolRunner, ToolServices
from shared.tracing.spans import is_tracing

if TYPE_CHECKING:
    from shared.deployment.deployer import Deployer
    from shared.deployment.instances import Instances
    from shared.tools.remote import RemoteToolRunner
    from shared.verification.session import SessionVerifier


def open_tools(
    settings: Settings,
    artifacts: Artifacts,
    outbox: EventOutbox | None = None,
    approvals: ApprovalSigner | None = None,
    shared_cache: SharedCache | None = None,
    *,
    deployer: Deployer | None = None,
    instances: Instances | None = None,
    sandbox: Sandbox | None = None,
    verifier: SessionVerifier | None = None,
    history: BotHistory | None = None,
) -> ToolRunner:
    """The tools in this process; without a search service there is no search_web."""
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
        outbox=outbox,
        approvals=approvals,
        shared_cache=shared_cache,
        deployer=deployer,
        instances=instances,
        sandbox=sandbox,
        verifier=verifier,
        history=history,
    )
    tools = tuple(tool for tool in TOOLS if search is not None or tool.name != "search_web")
    runner = LocalToolRunner(tools=tools, services=services)
    if not is_tracing():
        return runner
    from shared.tools.traced import TracedTools

    return TracedTools(runner)


def open_once(runner: ToolRunner, calls: ToolCallStore) -> ToolRunner:
    """The tools of `runner`, a call id of a session run once."""
    from shared.tools.once import OnceToolRunner
    from shared.tools.registry import TOOLS

    # A tool with an effect outside keeps a record of its own, which outlives a dead process better.
    deadlines = {tool.name: tool.timeout for tool in TOOLS if not tool.requires_approval}
    return OnceToolRunner(runner=runner, calls=calls, deadlines=deadlines, clock=utc_now)


def open_remote(settings: Settings) -> RemoteToolRunner:
    """The tools of the service at TOOLS_URL, called for a user as SERVICE_AUTH and AUTH_MODE say."""
    from shared.tools.remote import RemoteToolRunner
    from shared.web.service_token import service_credentials

    assert settings.tools_url is not None
    credentials = service_credentials(settings, utc_now, url=settings.tools_url)
    return RemoteToolRunner(url=settings.tools_url, credentials=credentials)
