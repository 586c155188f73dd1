"""The tool `deploy_bot`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.deployment.deployer import Order
from shared.errors import ToolFailedError
from shared.tools.port import ToolContext, tool

# Longer than the longest step of a deployment that a dead process left behind.
_WAIT_SECONDS = 75.0


class DeployedBot(TypedDict):
    """What the platform has accepted."""

    bot_id: str
    name: str
    version: str
    deployment_url: str
    status: Literal["accepted, not started"]
    notes: list[str]


@tool(timeout=300.0, requires_approval=True, read_only=False, untrusted=True)
async def deploy_bot(
    context: ToolContext,
    name: Annotated[
        str | None, Field(description="the bot's name on the platform; left out: that of bot-config.yaml")
    ] = None,
    unverified: Annotated[
        bool,
        Field(description="the user's own words ask for a bot that is not verified"),
    ] = False,
) -> DeployedBot:
    """Deploys the session's files as a bot to the platform, once the user said yes to exactly them.

    It makes the bot, and starts no instance of it. A version that exists already is raised.
    """
    session, origin = context.require_session(), context.origin
    deployer = context.services.deployer
    if deployer is None or origin is None or origin.grant is None:
        raise ToolFailedError("bots cannot be deployed from here: tell the user")
    deployed = await deployer.deploy(
        Order(
            session=session,
            call_id=f"turn {origin.turn_id} {origin.grant.call_id}",
            name=name,
            unverified=unverified,
            artifacts_sha256=origin.grant.artifacts_sha256,
            wait_seconds=_WAIT_SECONDS,
        )
    )
    return DeployedBot(
        bot_id=deployed.bot_id,
        name=deployed.name,
        version=deployed.version,
        deployment_url=deployed.url,
        status="accepted, not started",
        notes=list(deployed.notes),
    )
