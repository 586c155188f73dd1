"""Deploys a session's files as a bot, once for each call id, whoever repeats it and where.

The record is claimed before anything is sent and says what is about to be; a process that finds one that was
left behind asks the platform first. A deployment that has begun goes on when its caller leaves.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.artifact import Artifact
from shared.artifact_set import set_sha256
from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.deployment.bot import Bot
from shared.deployment.package import check_size
from shared.deployment.platform import ASK_SECONDS, Platform
from shared.deployment.progress import Progress, progress_of
from shared.deployment.run import MARGIN_SECONDS, DeploymentRun, Means
from shared.deployment.validate import read_bot
from shared.errors import (
    AppError,
    ApprovalConflictError,
    DeploymentInProgressError,
    DeploymentNotConfiguredError,
    DeploymentRefusedError,
    IdempotencyMismatchError,
    SessionConflictError,
)
from shared.ids import NewId
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.deployment_port import Deployment, DeploymentStore, NewDeployment

_TOKEN_BITS = 62
_READS = 8
_CLOSE_SECONDS = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asks for: `call_id` names it in the session for good.

    `artifacts_sha256` is the set of files that the user said yes to; None takes the files as they are.
    `authorization` is the header by which the platform knows the user, None leaves it to the agent's own
    key. `wait_seconds` is how long to wait for the same call where another process has it.
    """

    session: SessionKey
    call_id: str
    name: str | None = None
    artifacts_sha256: str | None = None
    authorization: str | None = field(default=None, repr=False)
    wait_seconds: float = 10.0

    @property
    def asked(self) -> str:
        """Tells whether a repeat asks for the same."""
        return hashlib.sha256(json.dumps([self.name, self.artifacts_sha256]).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What the platform has accepted; nothing of it runs yet. `notes` are what the user should know."""

    bot_id: str
    name: str
    version: str
    url: str
    notes: tuple[str, ...] = ()


class Deployer:
    """Deploys to the platform at `url` (None: there is none), with `api_key` where a caller has no own.

    `stored` hears that an event waits to be published.
    """

    def __init__(
        self,
        *,
        url: str | None,
        api_key: str | None,
        artifacts: Artifacts,
        store: DeploymentStore,
        clock: Clock,
        new_id: NewId,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = url
        self._authorization = f"ApiKey {api_key}" if api_key else None
        self._artifacts = artifacts
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._stored = stored
        self._running: set[asyncio.Task[Deployed]] = set()

    async def deploy(self, order: Order) -> Deployed:
        """The bot on the platform, made by this call or by an earlier one of the same id.

        Raises:
            DeploymentNotConfiguredError: there is no platform.
            UnauthenticatedError: the caller's credential cannot be one.
            SessionNotFoundError: the user has no such session.
            BotInvalidError, TooLargeError: the files are no bot that the platform takes; nothing was sent.
            ApprovalConflictError: they are not the set that the user said yes to.
            IdempotencyMismatchError: the id was used for something else.
            DeploymentInProgressError: another process has it under way.
            DeploymentRefusedError: the platform said no.
            PlatformUnavailableError: the platform did nothing; the same call may be repeated.
            DeploymentUnknownError: the platform may have made the bot and does not tell.
            StoreUnavailableError.
        """
        task = asyncio.create_task(self._deploy(order))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Waits a little for what is under way; what is cut off then is taken up by a repeat of its call."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=_CLOSE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _ended(self, task: asyncio.Task[Deployed]) -> None:
        self._running.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), AppError):
            # Its caller may be gone.
            _log.info("deployment did not succeed", extra={"code": error.code})

    async def _deploy(self, order: Order) -> Deployed:
        known = await self._store.load_deployment(key=order.session, call_id=order.call_id)
        if known is not None and (known.asked != order.asked or known.has_ended):
            return _outcome(known, order)
        # A session that is not there is told before anything of this installation.
        artifacts = await self._artifacts.list(session=order.session)
        if self._url is None:
            raise DeploymentNotConfiguredError("nothing can be deployed here: THE0_API_URL is not set")
        platform = Platform(self._url, order.authorization or self._authorization)
        if known is None:
            bot = await self._bot(order, artifacts, order.artifacts_sha256)
            progress = Progress(
                artifacts_sha256=set_sha256(artifacts),
                name=bot.name,
                version=bot.version,
                notes=_notes(bot),
            )
        else:
            progress = progress_of(known.progress)
        record, token = await self._held(order, progress)
        if record.token != token or record.has_ended:
            return _outcome(record, order)
        wanted = progress_of(record.progress).artifacts_sha256
        means = Means(
            store=self._store,
            platform=platform,
            bot=lambda: self._bot_again(order, wanted),
            clock=self._clock,
        )
        return await self._finish(DeploymentRun(means, record), order)

    async def _finish(self, run: DeploymentRun, order: Order) -> Deployed:
        try:
            ended = await run.finish()
            self._stored()
            return _outcome(ended, order)
        except SessionConflictError as error:
            raise DeploymentInProgressError("another call has taken this deployment over") from error
        except BaseException:
            await self._release(run.record)
            raise

    async def _release(self, record: Deployment) -> None:
        """Lets a repeat go on at once."""
        if record.has_ended:
            return
        try:
            await self._store.write_deployment(deployment=record, now=self._clock(), lease_seconds=0)
        except AppError as error:
            # Its lease frees it.
            _log.warning("deployment not released", extra={"code": error.code})

    async def _held(self, order: Order, progress: Progress) -> tuple[Deployment, int]:
        """The record, with the token that holds it where nobody else does or it has not ended."""
        give_up = time.monotonic() + order.wait_seconds
        pause = _FIRST_PAUSE
        while True:
            token = secrets.randbits(_TOKEN_BITS)
            record = await self._store.claim_deployment(
                new=NewDeployment(
                    key=order.session,
                    call_id=order.call_id,
                    deployment_id=self._new_id(),
                    asked=order.asked,
                    progress=progress.stored(),
                    now=self._clock(),
                    lease_seconds=ASK_SECONDS + MARGIN_SECONDS,
                    token=token,
                )
            )
            free = record.token == token or record.has_ended or record.asked != order.asked
            if free or time.monotonic() >= give_up:
                return record, token
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _bot_again(self, order: Order, artifacts_sha256: str) -> Bot:
        artifacts = await self._artifacts.list(session=order.session)
        return await self._bot(order, artifacts, artifacts_sha256)

    async def _bot(self, order: Order, artifacts: tuple[Artifact, ...], wanted: str | None) -> Bot:
        """The bot that exactly these versions are; raises when they are not the set that is wanted."""
        if wanted is not None and set_sha256(artifacts) != wanted:
            raise ApprovalConflictError(
                "the session's files have changed since the deployment was asked for: ask for it again"
            )
        check_size({artifact.filename: artifact.size for artifact in artifacts})
        reads = asyncio.Semaphore(_READS)

        async def read(artifact: Artifact) -> bytes:
            key = ArtifactKey(session=order.session, filename=artifact.filename)
            async with reads:
                found = await self._artifacts.read(key=key, version=artifact.version)
            return found.data

        data = await asyncio.gather(*map(read, artifacts))
        files = {artifact.filename: each for artifact, each in zip(artifacts, data, strict=True)}
        return await asyncio.to_thread(lambda: read_bot(files, name=order.name))


def _outcome(record: Deployment, order: Order) -> Deployed:
    """What a record says; raises as `Deployer.deploy`."""
    if record.asked != order.asked:
        raise IdempotencyMismatchError("this id was used for another deployment: take a new one")
    progress = progress_of(record.progress)
    if record.state == "failed":
        details: dict[str, Any] = {"platform_status": progress.refused_status}
        raise DeploymentRefusedError(progress.refused, **details)
    if record.bot_id is None:
        raise DeploymentInProgressError("this deployment is under way: ask again in a moment", retry_after=5)
    return Deployed(
        bot_id=record.bot_id,
        name=progress.name,
        version=progress.version,
        url=progress.url,
        notes=progress.notes,
    )


def _notes(bot: Bot) -> tuple[str, ...]:
    notes = [f"accepted by the platform, not started: create an instance of {bot.name!r} to run it"]
    named = bot.files.get("requirements.txt", b"").decode("utf-8", "replace").splitlines()
    packages = [line for line in named if line.strip() and not line.lstrip().startswith(("#", "-"))]
    if packages and not any(name.startswith("vendor/") for name in bot.files):
        notes.append(
            "requirements.txt names packages and the session has no vendor/ folder: a running bot has no "
            "internet and finds only what its runtime has; `the0 custom-bot deploy` packs the packages"
        )
    return tuple(notes)
