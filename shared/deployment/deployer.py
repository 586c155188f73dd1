"""Deploys a session's files as a bot, once for each call id, whoever repeats it and where.

The record is claimed before anything is sent and says what is about to be; a process that finds one that was
left behind asks the platform first. A deployment that has begun goes on when its caller leaves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.artifact import Artifact
from shared.artifact_set import VERIFICATION_FILE, set_sha256
from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.deployment.bot import Bot
from shared.deployment.calls import ASK_SECONDS
from shared.deployment.holding import Work, hold, release
from shared.deployment.platform import Platform
from shared.deployment.progress import Progress, made_by, progress_of
from shared.deployment.run import MARGIN_SECONDS, DeploymentRun, Means
from shared.deployment.session_bot import bot_of
from shared.errors import (
    ApprovalConflictError,
    BotUnverifiedError,
    DeploymentInProgressError,
    DeploymentNotConfiguredError,
    DeploymentRefusedError,
    IdempotencyMismatchError,
    SessionConflictError,
)
from shared.ids import NewId
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.deployment_port import Deployment, DeploymentStore, NewDeployment
from shared.verification.seal import RecordSeal, VerificationState

# Of a session, the last written: further back nothing is looked for.
_MOST_RECORDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a caller asks for: `call_id` names it in the session for good.

    `artifacts_sha256` is the set of files that the user said yes to; None takes the files as they are.
    `authorization` is the header by which the platform knows the user, None leaves it to the agent's own
    key. `reuses` is content with an earlier deployment of the same files and name. `unverified` says that the
    user wants it although no verification speaks for exactly these files. `wait_seconds` is how long to wait
    for the same call where another process has it.
    """

    session: SessionKey
    call_id: str
    name: str | None = None
    artifacts_sha256: str | None = None
    authorization: str | None = field(default=None, repr=False)
    reuses: bool = False
    unverified: bool = False
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
        seal: RecordSeal,
        clock: Clock,
        new_id: NewId,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = url
        self._authorization = f"ApiKey {api_key}" if api_key else None
        self._artifacts = artifacts
        self._store = store
        self._seal = seal
        self._clock = clock
        self._new_id = new_id
        self._stored = stored
        self._work = Work[Deployed]()

    async def deploy(self, order: Order) -> Deployed:
        """The bot on the platform, made by this call or by an earlier one of the same id.

        Raises:
            DeploymentNotConfiguredError: there is no platform.
            UnauthenticatedError: the caller's credential cannot be one.
            SessionNotFoundError: the user has no such session.
            BotInvalidError, TooLargeError: the files are no bot that the platform takes; nothing was sent.
            BotUnverifiedError: no verification speaks for exactly these files, and the order does not say
                that this is known.
            ApprovalConflictError: they are not the set that the user said yes to.
            IdempotencyMismatchError: the id was used for something else.
            DeploymentInProgressError: another process has it under way.
            DeploymentRefusedError: the platform said no.
            PlatformUnavailableError: the platform did nothing; the same call may be repeated.
            DeploymentUnknownError: the platform may have made the bot and does not tell.
            StoreUnavailableError.
        """
        return await self._work.run(self._deploy(order))

    async def close(self) -> None:
        """Waits a little for what is under way; what is cut off then is taken up by a repeat of its call."""
        await self._work.close()

    async def _deploy(self, order: Order) -> Deployed:
        known = await self._store.load_deployment(key=order.session, call_id=order.call_id)
        if known is not None and (known.asked != order.asked or known.has_ended):
            return _outcome(known, order)
        # A session that is not there is told before anything of this installation.
        artifacts = await self._artifacts.list(session=order.session)
        if known is None and order.reuses and (found := await self._deployed(order, artifacts)) is not None:
            return found
        if self._url is None:
            raise DeploymentNotConfiguredError("nothing can be deployed here: THE0_API_URL is not set")
        platform = Platform(self._url, order.authorization or self._authorization)
        if known is None:
            bot = await self._bot(order, artifacts, order.artifacts_sha256)
            if not order.unverified:
                await self._check_verified(order.session, artifacts)
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

    async def _deployed(self, order: Order, artifacts: tuple[Artifact, ...]) -> Deployed | None:
        """What an earlier call made of the same files."""
        wanted = set_sha256(artifacts)
        if order.artifacts_sha256 not in (None, wanted):
            return None
        for record in await self._store.session_deployments(key=order.session, limit=_MOST_RECORDS):
            made = made_by(record)
            if (
                made is not None
                and record.bot_id is not None
                and made.artifacts_sha256 == wanted
                and order.name in (None, made.name)
            ):
                return _told(record.bot_id, made)
        return None

    async def _finish(self, run: DeploymentRun, order: Order) -> Deployed:
        try:
            ended = await run.finish()
            self._stored()
            return _outcome(ended, order)
        except SessionConflictError as error:
            raise DeploymentInProgressError("another call has taken this deployment over") from error
        except BaseException:
            await release(self._store, run.record, self._clock())
            raise

    async def _held(self, order: Order, progress: Progress) -> tuple[Deployment, int]:
        return await hold(
            self._store,
            lambda token: NewDeployment(
                key=order.session,
                call_id=order.call_id,
                deployment_id=self._new_id(),
                asked=order.asked,
                progress=progress.stored(),
                now=self._clock(),
                lease_seconds=ASK_SECONDS + MARGIN_SECONDS,
                token=token,
            ),
            wait_seconds=order.wait_seconds,
        )

    async def _bot_again(self, order: Order, artifacts_sha256: str) -> Bot:
        artifacts = await self._artifacts.list(session=order.session)
        return await self._bot(order, artifacts, artifacts_sha256)

    async def verification_of(self, session: SessionKey) -> VerificationState:
        """What is known of the session's files as they are; raises SessionNotFoundError."""
        return await self._known_of(session, await self._artifacts.list(session=session))

    async def _check_verified(self, session: SessionKey, artifacts: tuple[Artifact, ...]) -> None:
        """Returns when a record of these files says that they are verified."""
        found = await self._known_of(session, artifacts)
        if not found.is_ready:
            raise BotUnverifiedError(
                f"the bot is {found.state}: {found.reason}. Verify it (verify_bot), or say in words that it "
                'shall be deployed all the same ("unverified": true)',
                verification=found.state,
            )

    async def _known_of(self, session: SessionKey, artifacts: tuple[Artifact, ...]) -> VerificationState:
        record = None
        if any(one.filename == VERIFICATION_FILE for one in artifacts):
            key = ArtifactKey(session=session, filename=VERIFICATION_FILE)
            record = (await self._artifacts.read(key=key)).data
        return self._seal.state_of(artifacts_sha256=set_sha256(artifacts), record=record)

    async def _bot(self, order: Order, artifacts: tuple[Artifact, ...], wanted: str | None) -> Bot:
        """The bot that exactly these versions are; raises when they are not the set that is wanted."""
        if wanted is not None and set_sha256(artifacts) != wanted:
            raise ApprovalConflictError(
                "the session's files have changed since the deployment was asked for: ask for it again"
            )
        return await bot_of(self._artifacts, order.session, artifacts, name=order.name)


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
    return _told(record.bot_id, progress)


def _told(bot_id: str, progress: Progress) -> Deployed:
    return Deployed(
        bot_id=bot_id,
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
    if _needs_node_packages(bot):
        notes.append(
            "package.json names packages and the session has no node_modules/ folder: a running bot has no "
            "internet; `the0 custom-bot deploy` runs npm install and packs the packages"
        )
    return tuple(notes)


def _needs_node_packages(bot: Bot) -> bool:
    """Whether package.json names packages that do not come with the bot."""
    try:
        package = json.loads(bot.files.get("package.json", b"{}"))
    except (ValueError, RecursionError):
        return False
    named = isinstance(package, dict) and bool(package.get("dependencies"))
    return named and not any(name.startswith("node_modules/") for name in bot.files)
