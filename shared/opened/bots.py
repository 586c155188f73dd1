"""What makes, proves, keeps and deploys bots."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.clock import utc_now
from shared.ids import new_id
from shared.opened.events import Events
from shared.opened.parts import ready
from shared.opened.signing import signing_keys

if TYPE_CHECKING:
    from shared.approvals import ApprovalSigner
    from shared.artifacts.library import ArtifactLibrary
    from shared.deployment.deployer import Deployer
    from shared.deployment.instances import Instances
    from shared.sandbox.select import ChosenSandbox
    from shared.tools.port import ToolRunner
    from shared.verification.seal import RecordSeal
    from shared.verification.session import SessionVerifier


class Bots(Events):
    """Files of bots, and all that is done with them."""

    async def artifacts(self) -> ArtifactLibrary:
        """The artifact library."""
        from shared.artifacts.library import ArtifactLibrary

        objects, store = await self.objects(), await self.store()
        return await self._once(
            "artifacts",
            lambda: ready(
                ArtifactLibrary(
                    objects=objects,
                    index=store,
                    clock=utc_now,
                    new_id=new_id,
                    max_file_bytes=self.settings.max_artifact_bytes,
                    max_files=self.settings.max_session_files,
                    observe=self._artifact_saved,
                )
            ),
        )

    async def sandbox(self) -> ChosenSandbox:
        """Runs code of bots."""
        from shared.sandbox.select import open_sandbox

        return await self._once("sandbox", lambda: ready(open_sandbox()))

    async def record_seal(self) -> RecordSeal:
        """Signs the records of verifications and reads them."""
        from shared.verification.seal import RecordSeal

        return await self._once(
            "record_seal",
            lambda: asyncio.to_thread(lambda: RecordSeal(signing_keys(self.settings, "verification"))),
        )

    async def verifier(self) -> SessionVerifier:
        """Verifies the bots of sessions."""
        from shared.verification.select import open_session_verifier

        artifacts, store = await self.artifacts(), await self.store()
        sandbox, seal = await self.sandbox(), await self.record_seal()
        return await self._once(
            "verifier",
            lambda: ready(
                open_session_verifier(
                    sandbox, artifacts=artifacts, sessions=store, seal=seal, clock=self.clock
                )
            ),
        )

    async def approvals(self) -> ApprovalSigner:
        """Signs what users are asked and what they granted."""
        from shared.approvals import ApprovalSigner

        return await self._once(
            "approvals",
            lambda: asyncio.to_thread(lambda: ApprovalSigner(signing_keys(self.settings, "approval"))),
        )

    async def deployer(self) -> Deployer:
        """Deploys bots to the platform."""
        from shared.deployment.select import open_deployer

        artifacts, store, seal = await self.artifacts(), await self.store(), await self.record_seal()
        return await self._once(
            "deployer",
            lambda: ready(
                open_deployer(
                    self.settings, artifacts=artifacts, store=store, seal=seal, stored=self.publish_soon
                )
            ),
        )

    async def instances(self) -> Instances:
        """Starts, changes and stops instances of bots on the platform."""
        from shared.deployment.select import open_instances

        artifacts, store = await self.artifacts(), await self.store()
        return await self._once(
            "instances", lambda: ready(open_instances(self.settings, artifacts=artifacts, store=store))
        )

    async def tools(self) -> ToolRunner:
        """The tools of this process."""
        from shared.events.stirring import StirringOutbox
        from shared.redis.select import response_cache
        from shared.tools.select import open_tools

        artifacts, store = await self.artifacts(), await self.store()
        approvals, cache = await self.approvals(), response_cache(await self.redis())
        outbox, deployer = StirringOutbox(store, self.publish_soon), await self.deployer()
        instances = await self.instances()
        verifier, sandbox = await self.verifier(), await self.sandbox()
        return await self._once(
            "tools",
            lambda: ready(
                open_tools(
                    self.settings,
                    artifacts,
                    outbox,
                    approvals,
                    cache,
                    deployer=deployer,
                    instances=instances,
                    sandbox=sandbox,
                    verifier=verifier,
                    history=store,
                )
            ),
        )

    async def tools_once(self) -> ToolRunner:
        """The tools of this process for callers who name their calls: an id of a session runs once."""
        from shared.tools.select import open_once

        tools, store = await self.tools(), await self.store()
        return await self._once("tools_once", lambda: ready(open_once(tools, store)))

    async def turn_tools(self) -> ToolRunner:
        """The tools of turns: those of the service at TOOLS_URL, or of this process."""
        from shared.tools.select import open_remote

        if self.settings.tools_url is None:
            return await self.tools()
        return await self._once("turn_tools", lambda: ready(open_remote(self.settings)))

    def _artifact_saved(self, kind: str) -> None:
        self.telemetry.artifact(kind)
        self.publish_soon()
