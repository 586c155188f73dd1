"""The part of `SqlStore` that retention asks for."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from shared.keys import ArtifactKey, SessionKey
from shared.sessions.retention_port import DeletedSessionPage, EmptiedSession, FilePage, RetentionPolicy
from shared.sessions.sql.opened import OpenedDatabase


class SqlRetention(OpenedDatabase):
    """`Retention` of the port. A process that only serves does not wait for its statements to be made."""

    async def list_files(self, *, after: str | None, limit: int) -> FilePage:
        from shared.sessions.sql.retention import list_files

        return await self._read(partial(list_files, after=after, limit=limit))

    async def remove_versions(self, *, key: ArtifactKey, policy: RetentionPolicy) -> tuple[str, ...]:
        from shared.sessions.sql.retention import remove_versions

        return await self._write(partial(remove_versions, key=key, policy=policy))

    async def list_deleted_sessions(self, *, after: str | None, limit: int) -> DeletedSessionPage:
        from shared.sessions.sql.retention import list_deleted_sessions

        return await self._read(partial(list_deleted_sessions, after=after, limit=limit))

    async def empty_session(self, *, key: SessionKey, now: datetime, limit: int) -> EmptiedSession:
        from shared.sessions.sql.retention import empty_session

        return await self._write(partial(empty_session, key=key, now=now, limit=limit))

    async def recorded_objects(self, *, object_keys: tuple[str, ...]) -> frozenset[str]:
        from shared.sessions.sql.retention import recorded_objects

        return await self._read(partial(recorded_objects, object_keys=object_keys))

    async def hold_session(self, *, key: SessionKey, held: bool, now: datetime) -> None:
        from shared.sessions.sql.retention import hold_session

        await self._write(partial(hold_session, key=key, held=held, now=now))

    async def load_place(self, *, name: str) -> str | None:
        from shared.sessions.sql.retention import load_place

        return await self._read(partial(load_place, name=name))

    async def save_place(self, *, name: str, place: str | None) -> None:
        from shared.sessions.sql.retention import save_place

        await self._write(partial(save_place, name=name, place=place))
