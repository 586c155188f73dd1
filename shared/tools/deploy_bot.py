"""The tool `deploy_bot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from shared.deployment.deployer import Deployed, Order
from shared.deployment.evidence import ACCEPTED
from shared.errors import ToolFailedError, ToolInputError
from shared.tools.port import ToolContext, tool

if TYPE_CHECKING:
    from shared.deployment.instance import Act, Instance, InstanceOrder
    from shared.deployment.instances import Instances

# Longer than the longest step of a deployment that a dead process left behind.
_WAIT_SECONDS = 75.0


@with_config(ConfigDict(extra="forbid"))
class WantedInstance(TypedDict, total=False):
    """Starts one; with bot_id changes it, with stop ends it."""

    bot_id: str
    name: str
    schedule: Annotated[str, Field(description="cron, UTC")]
    config: Annotated[dict[str, Any], Field(description="never keys or passwords")]
    stop: bool


class DeployedBot(TypedDict, total=False):
    """What the platform has accepted."""

    bot_id: str
    name: str
    version: str
    deployment_url: str
    status: str
    notes: list[str]
    instance: dict[str, str]


@tool(timeout=300.0, requires_approval=True, read_only=False, untrusted=True)
async def deploy_bot(
    context: ToolContext,
    name: Annotated[str | None, Field(description="the bot's name; else that of bot-config.yaml")] = None,
    instance: WantedInstance | None = None,
    unverified: Annotated[
        bool,
        Field(description="the user's words ask for an unverified bot"),
    ] = False,
) -> DeployedBot:
    """Deploys the session's files as a bot to the platform, once the user said yes to exactly them.

    A version that exists already is raised. Nothing runs without an instance.
    """
    wanted = instance
    if wanted is not None and (wanted.get("bot_id") is not None or wanted.get("stop")):
        if name is not None:
            raise ToolInputError("name: is for a deployment; an instance that is there has its own `name`")
        return _told(await _instances(context).do(_order(context, wanted)))
    if wanted is not None:
        await _instances(context).check(_order(context, wanted), name=name)
    deployed = await _deployed(context, name, reuses=wanted is not None, unverified=unverified)
    told = DeployedBot(
        bot_id=deployed.bot_id,
        name=deployed.name,
        version=deployed.version,
        deployment_url=deployed.url,
        status=ACCEPTED,
        notes=list(deployed.notes),
    )
    if wanted is None:
        return told
    started = await _instances(context).do(_order(context, wanted, deployed))
    # That nothing is started is no longer what is to be known first.
    return {**told, **_told(started), "notes": list(deployed.notes[1:])}


async def _deployed(context: ToolContext, name: str | None, *, reuses: bool, unverified: bool) -> Deployed:
    session, origin = context.require_session(), context.origin
    deployer = context.services.deployer
    if deployer is None or origin is None or origin.grant is None:
        raise ToolFailedError("bots cannot be deployed from here: tell the user")
    return await deployer.deploy(
        Order(
            session=session,
            call_id=f"turn {origin.turn_id} {origin.grant.call_id}",
            name=name,
            unverified=unverified,
            artifacts_sha256=origin.grant.artifacts_sha256,
            reuses=reuses,
            wait_seconds=_WAIT_SECONDS,
        )
    )


def _instances(context: ToolContext) -> Instances:
    if context.services.instances is None:
        raise ToolFailedError("bots cannot be started from here: tell the user")
    return context.services.instances


def _order(context: ToolContext, wanted: WantedInstance, deployed: Deployed | None = None) -> InstanceOrder:
    """The order of exactly this call; what a chat says is kept, so it takes no credential."""
    from shared.deployment.instance import InstanceOrder

    session, origin = context.require_session(), context.origin
    if origin is None or origin.grant is None:
        raise ToolFailedError("bots cannot be started from here: tell the user")
    bot_id, act = wanted.get("bot_id"), _act(wanted)
    return InstanceOrder(
        session=session,
        call_id=f"turn {origin.turn_id} {origin.grant.call_id}",
        act=act,
        bot_id=bot_id,
        name=wanted.get("name"),
        custom_bot=deployed.name if deployed else None,
        version=deployed.version if deployed else None,
        schedule=wanted.get("schedule"),
        config=wanted.get("config"),
        artifacts_sha256=origin.grant.artifacts_sha256 if act == "start" else None,
        takes_secrets=False,
        wait_seconds=_WAIT_SECONDS,
    )


def _act(wanted: WantedInstance) -> Act:
    if not wanted.get("stop"):
        return "change" if wanted.get("bot_id") is not None else "start"
    if wanted.get("bot_id") is None:
        raise ToolInputError("instance.bot_id: says which instance to stop")
    if set(wanted) - {"bot_id", "stop"}:
        raise ToolInputError("instance: to stop one takes its bot_id alone")
    return "stop"


def _told(instance: Instance) -> DeployedBot:
    """The instance with the status that there is evidence for."""
    return DeployedBot(instance={name: str(value) for name, value in instance.wire().items()})
