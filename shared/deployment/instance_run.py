"""One step of an instance from its record to its end: written before and after, made once, undone never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from shared.clock import Clock
from shared.deployment.answers import Made
from shared.deployment.calls import ASK_SECONDS, MAKE_SECONDS, OutcomeUnknownError
from shared.deployment.instance import Step, step_of
from shared.deployment.instance_api import InstanceApi, Listed
from shared.deployment.instance_config import MARK_FIELD, RESERVED, marked_config
from shared.deployment.instance_plan import Plan
from shared.deployment.run import MARGIN_SECONDS
from shared.deployment.secret_fields import masked
from shared.errors import (
    DeploymentRefusedError,
    DeploymentUnknownError,
    InternalError,
    PlatformUnavailableError,
)
from shared.sessions.deployment_port import Deployment, DeploymentState, DeploymentStore

_SENDS = 3
_PAUSE_SECONDS = 0.5
# What the platform puts into a configuration by itself.
_PLATFORMS_OWN = ("hasFrontend", "customBotId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run works with.

    `plan` makes the plan of what was begun, `planned` is that of a new step: what the instance gets lives as
    long as the call. `given` is the order's own part of it. `made_before` says that the same kind of
    credential made the instance, so that one it does not see is gone.
    """

    store: DeploymentStore
    api: InstanceApi
    clock: Clock
    plan: Callable[[Step], Awaitable[Plan]]
    planned: Plan | None
    given: dict[str, Any] = field(repr=False, hash=False)
    bot_id: str | None
    made_before: bool


class InstanceRun:
    """A step that this process holds; `record` is as it was last written."""

    def __init__(self, means: Means, record: Deployment) -> None:
        self.record = record
        self._means = means
        self._doubt = ""
        self._plan = means.planned

    @property
    def step(self) -> Step:
        """What the record says."""
        step = step_of(self.record.progress)
        if step is None:
            raise InternalError("the record of an instance holds none")
        return step

    async def finish(self) -> Deployment:
        """Brings the step to its end, which may be that the platform refuses.

        Raises:
            DeploymentRefusedError: recorded as the end.
            PlatformUnavailableError: nothing was done; the same call may be repeated.
            DeploymentUnknownError: the platform may have made the instance and does not tell.
            SessionConflictError: another process has taken the step over.
        """
        try:
            if self.step.act == "start":
                await self._start()
            elif self.step.act == "change":
                await self._change()
            else:
                await self._stop()
        except DeploymentRefusedError as error:
            refused = await self._refused(error)
        except PlatformUnavailableError as error:
            # Not chained: what it quotes may be a credential.
            raise PlatformUnavailableError(self._masked(error.message)) from None
        else:
            return self.record
        raise refused

    async def _start(self) -> None:
        for left in range(_SENDS, -1, -1):
            if self.step.sent and await self._found():
                return
            if left == 0:
                break
            try:
                await self._created(await self._send())
                return
            except OutcomeUnknownError as doubt:
                self._doubt = self._masked(doubt.told)
                await asyncio.sleep(_PAUSE_SECONDS)
        raise PlatformUnavailableError(self._doubt)

    async def _send(self) -> Made:
        plan = await self._planned()
        config = marked_config(plan.config, plan.blueprint, self._mark)
        step = replace(self.step, marked=config is not None)
        if not step.marked and step.before is None:
            await self._write(step, ASK_SECONDS)
            step = replace(step, before=await self._ids_of_name())
        await self._write(replace(step, sent=True), MAKE_SECONDS)
        try:
            return await self._means.api.create(name=step.name, config=config or plan.config, mark=self._mark)
        except PlatformUnavailableError:
            await self._write(replace(self.step, sent=False), 0)
            raise

    async def _ids_of_name(self) -> tuple[str, ...]:
        try:
            listed = await self._means.api.list()
        except OutcomeUnknownError as doubt:
            raise PlatformUnavailableError(f"the platform cannot be asked: {doubt.told}") from doubt
        return tuple(each.made.bot_id for each in listed if each.name == self.step.name)

    async def _found(self) -> bool:
        """Whether the platform has what was sent; raises DeploymentUnknownError when it does not tell."""
        await self._write(self.step, 2 * ASK_SECONDS)
        try:
            made = await self._ours(await self._means.api.list())
        except OutcomeUnknownError as doubt:
            why = f"{self._doubt}; " if self._doubt else ""
            raise DeploymentUnknownError(
                f"the platform may have made the instance {self.step.name!r}: {why}{doubt.told}. "
                "Look there; nothing is sent again by this call"
            ) from doubt
        if made is None:
            return False
        await self._created(made)
        return True

    async def _ours(self, listed: tuple[Listed, ...]) -> Made | None:
        """The instance among them that this step made: by its mark, else by name and configuration."""
        step = self.step
        if step.marked:
            if any(each.config is None for each in listed):
                raise OutcomeUnknownError("it does not show the configurations of its instances")
            marked = (each.made for each in listed if (each.config or {}).get(MARK_FIELD) == self._mark)
            return next(marked, None)
        like = [
            each for each in listed if each.name == step.name and each.made.bot_id not in (step.before or ())
        ]
        if any(each.config is None for each in like):
            raise OutcomeUnknownError(
                "it has an instance of that name, and does not say how it is configured"
            )
        if not like:
            return None
        wanted = _without((await self._planned()).config)
        same = [each.made for each in like if _without(each.config or {}) == wanted]
        free = [made for made in same if not await self._means.store.sessions_of_bot(bot_id=made.bot_id)]
        if len(free) > 1:
            raise OutcomeUnknownError(f"it has {len(free)} instances of that name and configuration")
        return free[0] if free else None

    async def _change(self) -> None:
        plan, bot_id = await self._planned(), self._bot_id
        await self._write(replace(self.step, sent=True), MAKE_SECONDS)
        await self._means.api.change(bot_id, name=plan.step.name, config=plan.config)
        changed = replace(self.step, name=plan.step.name, schedule=plan.step.schedule)
        await self._created(Made(bot_id=bot_id), changed)

    async def _stop(self) -> None:
        """Deletes the instance; one that this caller made and that is not there any more is deleted."""
        await self._write(replace(self.step, sent=True), MAKE_SECONDS + ASK_SECONDS)
        try:
            await self._means.api.remove(self._bot_id)
        except DeploymentRefusedError:
            if not self._means.made_before or await self._means.api.get(self._bot_id) is not None:
                raise
        await self._created(Made(bot_id=self._bot_id))

    @property
    def _bot_id(self) -> str:
        if self._means.bot_id is None:
            raise InternalError("no instance is named")
        return self._means.bot_id

    async def _planned(self) -> Plan:
        if self._plan is None:
            self._plan = await self._means.plan(self.step)
        return self._plan

    def _masked(self, words: str) -> str:
        """Words of the platform's without the values that it was sent."""
        plan = self._plan
        values = {**self._means.given, **(plan.config if plan else {})}
        own = {name: value for name, value in values.items() if name not in (*RESERVED, MARK_FIELD)}
        return masked(words, own, plan.blueprint.schema if plan else {})

    async def _created(self, made: Made, step: Step | None = None) -> None:
        await self._write(replace(step or self.step, sent=False), 0, state="created", bot_id=made.bot_id)

    async def _refused(self, error: DeploymentRefusedError) -> DeploymentRefusedError:
        """Records the refusal, without what it quotes of the configuration."""
        words = self._masked(error.message)
        status = error.details.get("platform_status", 0)
        ended = replace(self.step, sent=False, refused=words, refused_status=status)
        await self._write(ended, 0, state="failed")
        told = self._masked(str(error.details.get("platform_message", "")))
        return DeploymentRefusedError(words, platform_status=status, platform_message=told)

    async def _write(
        self, step: Step, step_seconds: float, *, state: DeploymentState = "begun", bot_id: str | None = None
    ) -> None:
        record = replace(self.record, state=state, progress=step.stored(), bot_id=bot_id)
        await self._means.store.write_deployment(
            deployment=record,
            now=self._means.clock(),
            lease_seconds=step_seconds + MARGIN_SECONDS if step_seconds else 0,
        )
        self.record = record

    @property
    def _mark(self) -> str:
        """What tells this step's instance apart on the platform."""
        return f"deployment-{self.record.deployment_id}"


def _without(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _PLATFORMS_OWN}
