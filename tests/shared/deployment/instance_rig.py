"""A bot that is deployed, and what its instances are made, changed and stopped with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from shared.deployment.deployer import Order
from shared.deployment.evidence import ContextEvidence
from shared.deployment.instance import Instance, InstanceOrder
from shared.deployment.instances import Instances
from shared.ids import new_id
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock
from tests.servers.platform import Platform
from tests.shared.deployment.bots import tiny_bot
from tests.shared.deployment.rig import KEY, Rig

START = InstanceOrder(session=KEY, call_id="c", act="start", wait_seconds=0)
# A schema that lets nothing through that is no number: the mark neither.
NUMBERS = json.dumps(
    {
        "type": "object",
        "properties": {"type": {}, "version": {}},
        "additionalProperties": {"type": "number"},
    }
).encode()
BOTS = {"rig": tiny_bot(), "unmarked": tiny_bot(**{"bot-schema__json": NUMBERS})}


class InstanceRig(Rig):
    """A rig whose bot is deployed."""

    def instances(self, store: Any = None, **changes: Any) -> Instances:
        """A process that starts instances."""
        kept = store or self.store
        given: dict[str, Any] = {
            "url": self.platform.url,
            "api_key": "planted-secret-platform-key",
            **changes,
        }
        return Instances(
            artifacts=self.files,
            store=kept,
            evidence=ContextEvidence(self.store),
            clock=self.clock,
            new_id=new_id,
            **given,
        )

    async def do(self, order: InstanceOrder = START, **changes: Any) -> Instance:
        """What a process of its own does."""
        return await self.instances().do(replace(order, **changes))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The instances that the platform has."""
        return self.platform.instances.rows

    @property
    def only(self) -> dict[str, Any]:
        """The one that it has."""
        (row,) = self.rows
        return row

    async def hear(self, bot_id: str, **said: Any) -> None:
        """Puts what the events function heard into the session's context."""
        await self.store.patch_context(key=KEY, patch={"bots": {bot_id: said}}, now=self.clock.now)


async def deployed(store: SqlStore, platform: Platform, files: dict[str, bytes]) -> InstanceRig:
    rig = InstanceRig(store, SetClock(), platform)
    await rig.save(files)
    await rig.deploy(Order(unverified=True, session=KEY, call_id="deployed"))
    return rig
