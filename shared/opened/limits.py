"""Models, and what each user may use of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.ids import new_id
from shared.opened.parts import ready
from shared.opened.stores import Stores

if TYPE_CHECKING:
    from shared.limits.keys import UserKeys
    from shared.limits.source import UserModels
    from shared.limits.streams import OpenStreams
    from shared.limits.turns import TurnLimits
    from shared.model.port import ChatModel


class Limits(Stores):
    """The chat model, and who may use how much of it."""

    async def model(self) -> ChatModel:
        """The chat model."""
        from shared.model.select import open_model
        from shared.model.watched import WatchedModel

        return await self._once("model", lambda: ready(WatchedModel(open_model(self.settings))))

    async def user_keys(self) -> UserKeys:
        """The users' own model keys."""
        from shared.limits.select import open_user_keys

        store = await self.store()
        return await self._once("user_keys", lambda: ready(open_user_keys(self.settings, store, self.clock)))

    async def user_models(self) -> UserModels:
        """The models of users' turns: the deployment's, metered, or one on the user's own key."""
        from shared.limits.select import open_user_models

        deployment, keys, store = await self.model(), await self.user_keys(), await self.store()
        return await self._once(
            "user_models",
            lambda: ready(
                open_user_models(
                    self.settings,
                    deployment=deployment,
                    keys=keys,
                    ledger=store,
                    clock=self.clock,
                    new_id=new_id,
                )
            ),
        )

    async def turn_limits(self) -> TurnLimits:
        """What is asked before a turn begins."""
        from shared.limits.select import open_turn_limits

        store, models = await self.store(), await self.user_models()
        return await self._once(
            "turn_limits",
            lambda: ready(
                open_turn_limits(self.settings, permits=store, ledger=store, models=models, clock=self.clock)
            ),
        )

    async def open_streams(self) -> OpenStreams:
        """The count of users' open streams."""
        from shared.limits.select import open_streams

        store = await self.store()
        return await self._once(
            "open_streams",
            lambda: ready(open_streams(self.settings, leases=store, clock=self.clock, new_id=new_id)),
        )
