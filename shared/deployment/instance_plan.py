"""What a step of an instance sends: checked before the step is claimed, and again when it is taken up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from shared.clock import Clock, to_wire
from shared.deployment.blueprint import Blueprints
from shared.deployment.instance import Instance, InstanceOrder, Step
from shared.deployment.instance_api import InstanceApi
from shared.deployment.instance_config import Blueprint, checked_config, invalid, own_fields, refuse_secrets
from shared.errors import DeploymentRefusedError, InstanceNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The record that a step begins with, and the configuration that the platform gets, without the mark."""

    step: Step
    blueprint: Blueprint
    config: dict[str, Any] = field(repr=False, hash=False)


class Planner:
    """Makes the plans of orders."""

    def __init__(self, *, blueprints: Blueprints, clock: Clock) -> None:
        self._blueprints = blueprints
        self._clock = clock

    async def plan(
        self, order: InstanceOrder, api: InstanceApi, instance: Instance | None, begun: Step | None
    ) -> Plan:
        """The plan of an order; `instance` is the one that it is about, `begun` what an earlier claim wrote.

        Raises:
            InstanceNotFoundError: there is none to change or to stop.
            InstanceInvalidError: the platform would not take it.
            ApprovalConflictError: the files are not the set that the user said yes to.
            DeploymentRefusedError, PlatformUnavailableError: the platform does not show what is to change.
        """
        if order.act == "start":
            return await self._start(order, api, begun)
        if instance is None or instance.status == "deleted":
            raise InstanceNotFoundError("the session has no such instance")
        if order.act == "change":
            return await self._change(order, api, instance)
        blueprint = Blueprint(
            name=instance.custom_bot, version=instance.version, type=instance.type, schema={}
        )
        step = self._step(order, blueprint, name=instance.name, schedule=instance.schedule)
        return Plan(step=step, blueprint=blueprint, config={})

    async def check(self, order: InstanceOrder, name: str | None) -> None:
        """Returns when a start could be planned once the files are deployed; raises as `plan`."""
        blueprint = await self._blueprints.of_files(order.session, name=name)
        await asyncio.to_thread(configured, order, blueprint)

    async def _start(self, order: InstanceOrder, api: InstanceApi, begun: Step | None) -> Plan:
        blueprint = await self._blueprints.of(
            order.session,
            api,
            name=begun.custom_bot if begun else order.custom_bot,
            version=begun.version if begun else order.version,
            # What was begun has its version in the record: files may have changed since.
            wanted=None if begun else order.artifacts_sha256,
        )
        config = await asyncio.to_thread(configured, order, blueprint)
        name = name_of(order, blueprint.name)
        step = self._step(order, blueprint, name=name, schedule=config.get("schedule"))
        return Plan(step=step, blueprint=blueprint, config=config)

    async def _change(self, order: InstanceOrder, api: InstanceApi, instance: Instance) -> Plan:
        """The instance as the platform has it, with what the order names in its place."""
        blueprint = await self._blueprints.of(
            order.session, api, name=instance.custom_bot, version=order.version or instance.version
        )
        if blueprint.version.split(".")[0] != instance.version.split(".")[0]:
            told = f"{instance.version} cannot become {blueprint.version}: stop this one and start another"
            raise invalid([("version", told)])
        if not order.takes_secrets:
            refuse_secrets(order.config or {}, blueprint.schema)
        now = await api.get(instance.bot_id or "")
        if now is None or now.config is None:
            told = "the platform has no such instance for this caller"
            raise DeploymentRefusedError(told, platform_status=404, platform_message="")
        name, schedule = name_of(order, now.name or instance.name), order.schedule
        if schedule is None and isinstance(now.config.get("schedule"), str):
            schedule = now.config["schedule"]
        own = own_fields(now.config, blueprint.schema) | (order.config or {})
        config = await asyncio.to_thread(
            lambda: checked_config(blueprint, name=name, schedule=schedule, config=own)
        )
        step = self._step(order, blueprint, name=name, schedule=config.get("schedule"))
        return Plan(step=step, blueprint=blueprint, config=now.config | config)

    def _step(self, order: InstanceOrder, blueprint: Blueprint, *, name: str, schedule: str | None) -> Step:
        return Step(
            act=order.act,
            at=to_wire(self._clock()),
            name=name,
            custom_bot=blueprint.name,
            version=blueprint.version,
            type=blueprint.type,
            schedule=schedule,
            own=order.authorization is not None,
        )


def name_of(order: InstanceOrder, otherwise: str) -> str:
    """The instance's name; an empty one is not taken for none."""
    return otherwise if order.name is None else order.name


def configured(order: InstanceOrder, blueprint: Blueprint) -> dict[str, Any]:
    """The configuration of a start; raises InstanceInvalidError."""
    config = order.config or {}
    if not order.takes_secrets:
        refuse_secrets(config, blueprint.schema)
    return checked_config(
        blueprint, name=name_of(order, blueprint.name), schedule=order.schedule, config=config
    )
