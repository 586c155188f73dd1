"""One deployment from its record to its end: each step written before and after, none sent twice."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from shared.clock import Clock
from shared.deployment.answers import Listed, Made
from shared.deployment.bot import Bot
from shared.deployment.calls import ASK_SECONDS, MAKE_SECONDS, UPLOAD_SECONDS, OutcomeUnknownError
from shared.deployment.package import one_source, zip_of
from shared.deployment.platform import Platform
from shared.deployment.progress import Progress, progress_of
from shared.deployment.versions import raised
from shared.errors import DeploymentRefusedError, DeploymentUnknownError, PlatformUnavailableError
from shared.sessions.deployment_port import Deployment, DeploymentState, DeploymentStore
from shared.sessions.outbox_port import OutgoingEvent

T = TypeVar("T")

# Over the time of a step: its end has to be written within the lease.
MARGIN_SECONDS = 5.0
_SENDS = 3
_PAUSE_SECONDS = 0.5
_EVENT = "ai.bot.deployed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run works with; `bot` reads the session's files and raises when they are not what was asked."""

    store: DeploymentStore
    platform: Platform
    bot: Callable[[], Awaitable[Bot]]
    clock: Clock


class DeploymentRun:
    """A deployment that this process holds; `record` is as it was last written."""

    def __init__(self, means: Means, record: Deployment) -> None:
        self.record = record
        self._means = means
        self._doubt = ""

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return progress_of(self.record.progress)

    async def finish(self) -> Deployment:
        """Brings the deployment to its end, which may be that the platform refuses.

        Raises:
            PlatformUnavailableError: nothing was made; the same call may be repeated.
            DeploymentUnknownError: the platform may have made the bot and does not tell.
            SessionConflictError: another process has taken the deployment over.
            AppError: the session's files are not what was asked for, or cannot be read; nothing was sent.
        """
        for left in range(_SENDS, -1, -1):
            by = self._by_upload if self.progress.form == "upload" else self._by_code
            try:
                if await by(may_send=left > 0):
                    return self.record
            except OutcomeUnknownError as doubt:
                self._doubt = doubt.told
                await asyncio.sleep(_PAUSE_SECONDS)
        raise PlatformUnavailableError(self._doubt or "the platform's versions of the bot keep changing")

    async def _by_code(self, *, may_send: bool) -> bool:
        """Deploys in one call; False when that form, or the call, is to be left or repeated."""
        progress = self.progress
        if progress.sent and await self._found():
            return True
        if not may_send:
            return False
        bot = await self._means.bot()
        code = await asyncio.to_thread(one_source, bot)
        if code is None:
            await self._write(replace(progress, form="upload", sent=False), ASK_SECONDS)
            return False
        sent = replace(
            progress,
            form="code",
            sent=True,
            code_sha256=hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest(),
        )
        await self._write(sent, MAKE_SECONDS)
        made = await self._sending(self._means.platform.create(bot, code=code, mark=self._mark))
        if made is None:
            await self._write(replace(sent, form="upload", sent=False), ASK_SECONDS)
            return False
        await self._created(made, self._means.platform.url_of(made))
        return True

    async def _found(self) -> bool:
        """Whether the platform has what was sent; raises DeploymentUnknownError when it does not tell."""
        progress = self.progress
        await self._write(progress, 2 * ASK_SECONDS)
        try:
            made = await self._means.platform.find(
                name=progress.name, code_sha256=progress.code_sha256, mark=self._mark
            )
        except OutcomeUnknownError as doubt:
            why = f"{self._doubt}; " if self._doubt else ""
            raise DeploymentUnknownError(
                f"the platform may have made the bot {progress.name!r}: {why}{doubt.told}. "
                "Look there; nothing is sent again by this call"
            ) from doubt
        if made is None:
            return False
        await self._created(made, self._means.platform.url_of(made))
        return True

    async def _by_upload(self, *, may_send: bool) -> bool:
        """Deploys by upload; False when the platform's versions have changed meanwhile."""
        platform, progress = self._means.platform, self.progress
        await self._write(progress, ASK_SECONDS)
        versions = await self._versions()
        if await self._has_mark(versions):
            return True
        if not may_send:
            return False
        bot = await self._means.bot()
        version = raised(bot.version, _names(versions))
        progress = replace(progress, version=version, sent=False)
        await self._write(progress, UPLOAD_SECONDS)
        package = await asyncio.to_thread(zip_of, bot.files)
        file_path = await self._refusable(platform.upload(bot, version=version, package=package))
        progress = replace(progress, file_path=file_path, sent=True)
        await self._write(progress, MAKE_SECONDS, state="uploaded")
        registering = platform.register(
            bot, version=version, file_path=file_path, mark=self._mark, is_first=not versions
        )
        try:
            made = await self._sending(registering, ends=False)
        except DeploymentRefusedError as refusal:
            now = await self._versions()
            if await self._has_mark(now):
                return True
            if _names(now) != _names(versions):
                # Another deployment took the number, or made the bot: the next greater one is tried.
                return False
            await self._refused(refusal)
            raise
        made = replace(made, version=version)
        await self._created(made, platform.url_of(made, name=progress.name))
        return True

    async def _versions(self) -> tuple[Listed, ...]:
        return await self._refusable(self._means.platform.versions(self.progress.name))

    async def _has_mark(self, versions: tuple[Listed, ...]) -> bool:
        """Whether this deployment's own version is among them; it is recorded then."""
        for version in versions:
            if version.metadata.get("deployment") == self._mark:
                url = self._means.platform.url_of(version.made, name=self.progress.name)
                await self._created(version.made, url)
                return True
        return False

    async def _sending(self, request: Awaitable[T], *, ends: bool = True) -> T:
        """What a request that makes the bot gives; one that did not is recorded as not sent."""
        try:
            return await request
        except PlatformUnavailableError:
            await self._write(replace(self.progress, sent=False), 0, state=self.record.state)
            raise
        except DeploymentRefusedError as refusal:
            if ends:
                await self._refused(refusal)
            raise

    async def _refusable(self, request: Awaitable[T]) -> T:
        try:
            return await request
        except DeploymentRefusedError as refusal:
            await self._refused(refusal)
            raise

    async def _created(self, made: Made, url: str) -> None:
        progress = self.progress
        version = made.version or progress.version
        ended = replace(progress, sent=False, version=version, url=url)
        key = self.record.key
        event = OutgoingEvent(
            event_id=self.record.deployment_id,
            type=_EVENT,
            data={
                "session_id": key.session_id,
                "user_id": key.user_id,
                "bot_id": made.bot_id,
                "name": progress.name,
                "version": version,
                "deployment_url": url,
                "artifacts_sha256": progress.artifacts_sha256,
            },
        )
        await self._write(ended, 0, state="created", bot_id=made.bot_id, events=(event,))

    async def _refused(self, refusal: DeploymentRefusedError) -> None:
        status = refusal.details.get("platform_status", 0)
        ended = replace(self.progress, sent=False, refused=refusal.message, refused_status=status)
        await self._write(ended, 0, state="failed")

    async def _write(
        self, progress: Progress, step_seconds: float, *, state: DeploymentState = "begun", **ends: Any
    ) -> None:
        """Records the progress, and holds the deployment for a step of that length."""
        events = ends.pop("events", ())
        record = replace(self.record, state=state, progress=progress.stored(), **ends)
        await self._means.store.write_deployment(
            deployment=record,
            now=self._means.clock(),
            lease_seconds=step_seconds + MARGIN_SECONDS if step_seconds else 0,
            events=events,
        )
        self.record = record

    @property
    def _mark(self) -> str:
        """What tells this deployment's bot apart on the platform."""
        return f"deployment-{self.record.deployment_id}"


def _names(versions: tuple[Listed, ...]) -> list[str]:
    return [each.made.version for each in versions if each.made.version is not None]
