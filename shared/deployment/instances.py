"""Instances of a session's bots: started, changed and stopped once for each call id, and told of.

As a deployment, a step is claimed before anything is sent, goes on when its caller leaves, and is taken up by
a repeat of its call. A configuration is passed on and not kept: a repeat brings it again.
"""

from __future__ import annotations

import asyncio

from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.deployment.blueprint import Blueprints
from shared.deployment.calls import ASK_SECONDS, PlatformCalls
from shared.deployment.evidence import BotEvidence
from shared.deployment.holding import Work, hold, release
from shared.deployment.instance import PREFIX, Instance, InstanceOrder, instances_of, step_of
from shared.deployment.instance_api import InstanceApi
from shared.deployment.instance_plan import Planner
from shared.deployment.instance_run import InstanceRun, Means
from shared.deployment.run import MARGIN_SECONDS
from shared.deployment.secret_fields import slow_hash
from shared.errors import (
    DeploymentInProgressError,
    DeploymentNotConfiguredError,
    DeploymentRefusedError,
    IdempotencyMismatchError,
    InstanceNotFoundError,
    SessionConflictError,
)
from shared.ids import NewId
from shared.keys import SessionKey
from shared.sessions.deployment_port import Deployment, DeploymentStore, NewDeployment

# Of the steps of a session that its instances are told from.
_MOST_RECORDS = 1_000


class Instances:
    """Instances on the platform at `url` (None: there is none), with `api_key` where a caller has no own."""

    def __init__(
        self,
        *,
        url: str | None,
        api_key: str | None,
        artifacts: Artifacts,
        store: DeploymentStore,
        evidence: BotEvidence,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._url = url
        self._authorization = f"ApiKey {api_key}" if api_key else None
        self._planner = Planner(blueprints=Blueprints(artifacts=artifacts, store=store), clock=clock)
        self._store = store
        self._evidence = evidence
        self._clock = clock
        self._new_id = new_id
        self._work = Work[Instance]()

    async def close(self) -> None:
        """Waits a little for what is under way; what is cut off then is taken up by a repeat of its call."""
        await self._work.close()

    async def list(self, session: SessionKey) -> tuple[Instance, ...]:
        """The session's instances, the newest first; raises SessionNotFoundError."""
        heard = await self._evidence.of(session=session)
        records = await self._store.session_deployments(key=session, limit=_MOST_RECORDS)
        return instances_of(records, heard)

    async def get(self, session: SessionKey, bot_id: str) -> Instance:
        """One of them.

        Raises:
            SessionNotFoundError, InstanceNotFoundError.
        """
        for instance in await self.list(session):
            if instance.bot_id == bot_id:
                return instance
        raise InstanceNotFoundError("the session has no such instance")

    async def do(self, order: InstanceOrder) -> Instance:
        """The instance as it is after the step, done by this call or by an earlier one of the same id.

        Raises:
            DeploymentNotConfiguredError: there is no platform.
            UnauthenticatedError: the caller's credential cannot be one.
            SessionNotFoundError, InstanceNotFoundError: the user has none such.
            InstanceInvalidError: the platform would not take it; nothing was sent.
            ApprovalConflictError: the session's files are not the set that the user said yes to.
            IdempotencyMismatchError: the id was used for something else.
            DeploymentInProgressError: another process has it under way.
            DeploymentRefusedError: the platform said no.
            PlatformUnavailableError: the platform did nothing; the same call may be repeated.
            DeploymentUnknownError: the platform may have made the instance and does not tell.
            StoreUnavailableError.
        """
        return await self._work.run(self._do(order))

    async def check(self, order: InstanceOrder, *, name: str | None = None) -> None:
        """Returns when a start could be sent once the session's files are deployed under that name.

        Raises:
            SessionNotFoundError.
            BotInvalidError, InstanceInvalidError: the platform would not take the bot, or the instance.
        """
        known = await self._store.load_deployment(key=order.session, call_id=f"{PREFIX}{order.call_id}")
        if known is None:
            await self._planner.check(order, name)

    async def _do(self, order: InstanceOrder) -> Instance:
        call_id, asked = f"{PREFIX}{order.call_id}", await asyncio.to_thread(_asked, order)
        known = await self._store.load_deployment(key=order.session, call_id=call_id)
        if known is not None and (known.asked != asked or known.has_ended):
            return await self._outcome(known, asked)
        there = await self.list(order.session)
        if self._url is None:
            raise DeploymentNotConfiguredError("nothing can be started here: THE0_API_URL is not set")
        api = InstanceApi(PlatformCalls(self._url, order.authorization or self._authorization))
        instance = next((each for each in there if each.bot_id == order.bot_id), None)
        # What was begun is looked for at the platform before it is planned again.
        plan = None if known else await self._planner.plan(order, api, instance, None)
        record, token = await hold(
            self._store,
            lambda token: NewDeployment(
                key=order.session,
                call_id=call_id,
                deployment_id=self._new_id(),
                asked=asked,
                progress=plan.step.stored() if plan else known.progress if known else {},
                now=self._clock(),
                lease_seconds=ASK_SECONDS + MARGIN_SECONDS,
                token=token,
            ),
            wait_seconds=order.wait_seconds,
        )
        if record.token != token or record.has_ended:
            return await self._outcome(record, asked)
        means = Means(
            store=self._store,
            api=api,
            clock=self._clock,
            plan=lambda begun: self._planner.plan(order, api, instance, begun),
            planned=plan,
            given=order.config or {},
            bot_id=order.bot_id,
            made_before=instance is not None and instance.own == (order.authorization is not None),
        )
        return await self._finish(InstanceRun(means, record), asked)

    async def _finish(self, run: InstanceRun, asked: str) -> Instance:
        try:
            return await self._outcome(await run.finish(), asked)
        except SessionConflictError as error:
            raise DeploymentInProgressError("another call has taken this step over") from error
        except BaseException:
            await release(self._store, run.record, self._clock())
            raise

    async def _outcome(self, record: Deployment, asked: str) -> Instance:
        """What a record says; raises as `do`."""
        if record.asked != asked:
            raise IdempotencyMismatchError("this id was used for something else: take a new one")
        step = step_of(record.progress)
        if step is None or record.state == "failed":
            status = step.refused_status if step else 0
            raise DeploymentRefusedError(step.refused if step else "", platform_status=status)
        if record.bot_id is None:
            raise DeploymentInProgressError("this step is under way: ask again in a moment", retry_after=5)
        return await self.get(record.key, record.bot_id)


def _asked(order: InstanceOrder) -> str:
    """Tells whether a repeat asks for the same, and not what: a configuration may hold credentials."""
    asked = [order.act, order.bot_id, order.name, order.custom_bot, order.version, order.schedule]
    whose = "own" if order.authorization is not None else "agent"
    salt = (order.session.user_id, order.session.session_id, order.call_id)
    return slow_hash([*asked, order.config, order.artifacts_sha256, whose], *salt)
