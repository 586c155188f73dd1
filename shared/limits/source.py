"""Which model a user's turns run on: one on the user's own key, else the deployment's, metered by limits."""

from __future__ import annotations

from shared.limits.keys import UserKeys
from shared.limits.meter import Meter, MeteredModel
from shared.limits.own_models import OwnModels
from shared.model.port import ChatModel


class UserModels:
    """The ModelSource of a deployment. Who pays for a model by an own key is not metered here."""

    def __init__(
        self, *, deployment: ChatModel, keys: UserKeys, own: OwnModels, meter: Meter | None = None
    ) -> None:
        """`meter` None: no limits are set, or the deployment's model costs nothing."""
        self._deployment = deployment
        self._keys = keys
        self._own = own
        self._meter = meter

    async def for_user(self, user_id: str) -> ChatModel:
        """See ModelSource; raises ModelRefusedError for an own key that can no longer be decrypted."""
        key = await self._keys.current(user_id)
        if key is not None:
            return self._own.of(user_id, key)
        self._own.forget(user_id)
        if self._meter is None:
            return self._deployment
        return MeteredModel(self._deployment, user_id=user_id, meter=self._meter)

    async def pays_self(self, user_id: str) -> bool:
        """Whether the user's turns run on the user's own key."""
        return await self._keys.current(user_id) is not None

    def forget(self, user_id: str) -> None:
        """Closes the user's own model, when what runs on it has ended."""
        self._own.forget(user_id)

    async def close(self) -> None:
        """Closes the models on users' own keys; the deployment's is not ours."""
        await self._own.close()
