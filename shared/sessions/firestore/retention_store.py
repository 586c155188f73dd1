"""The part of `FirestoreStore` that retention asks for."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

from shared.keys import ArtifactKey, SessionKey
from shared.sessions.firestore import emptying, retention
from shared.sessions.firestore.names import document_id, session_id
from shared.sessions.firestore.opened import OpenedFirestore
from shared.sessions.retention_port import DeletedSessionPage, EmptiedSession, FilePage, RetentionPolicy

_LOOKS_AT_ONCE = 8


class FirestoreRetention(OpenedFirestore):
    """`Retention` of the port."""

    async def list_files(self, *, after: str | None, limit: int) -> FilePage:
        return await retention.list_files(self._runner, after=after, limit=limit)

    async def remove_versions(self, *, key: ArtifactKey, policy: RetentionPolicy) -> tuple[str, ...]:
        return await self._runner.write(
            partial(retention.remove_versions, key=key, policy=policy), queue=session_id(key.session)
        )

    async def list_deleted_sessions(self, *, after: str | None, limit: int) -> DeletedSessionPage:
        return await self._runner.read(partial(retention.list_deleted_sessions, after=after, limit=limit))

    async def empty_session(self, *, key: SessionKey, now: datetime, limit: int) -> EmptiedSession:
        return await emptying.empty_session(self._runner, key=key, now=now, limit=limit)

    async def recorded_objects(self, *, object_keys: tuple[str, ...]) -> frozenset[str]:
        looks = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def look(object_key: str) -> bool:
            async with looks:
                return await self._runner.read(partial(retention.is_recorded, object_key=object_key))

        found = await asyncio.gather(*map(look, object_keys))
        return frozenset(key for key, there in zip(object_keys, found, strict=True) if there)

    async def hold_session(self, *, key: SessionKey, held: bool, now: datetime) -> None:
        await self._runner.write(
            partial(retention.hold_session, key=key, held=held, now=now), queue=session_id(key)
        )

    async def load_place(self, *, name: str) -> str | None:
        return await self._runner.read(partial(retention.load_place, name=name))

    async def save_place(self, *, name: str, place: str | None) -> None:
        await self._runner.write(
            partial(retention.save_place, name=name, place=place), queue=f"work {document_id(name)}"
        )
