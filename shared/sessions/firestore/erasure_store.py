"""The part of `FirestoreStore` that erasing a user asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from shared.keys import SessionKey
from shared.sessions.erasure_port import ErasedPart, KnownSessionPage
from shared.sessions.firestore import erasure
from shared.sessions.firestore.opened import OpenedFirestore


class FirestoreErasure(OpenedFirestore):
    """`UserErasure` of the port."""

    async def list_user_sessions(self, *, user_id: str, after: str | None, limit: int) -> KnownSessionPage:
        return await self._runner.read(
            partial(erasure.list_user_sessions, user_id=user_id, after=after, limit=limit)
        )

    async def erase_session(self, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
        return await erasure.erase_session(self._runner, key=key, gone=gone, limit=limit)

    async def erase_account(self, *, user_id: str, limit: int) -> ErasedPart:
        return await erasure.erase_account(self._runner, user_id=user_id, limit=limit)

    async def count_records(self, *, user_id: str) -> Mapping[str, int]:
        return await erasure.count_records(self._runner, user_id=user_id)

    async def clean_up(self) -> None:
        """Nothing: Firestore keeps no file of ours."""
