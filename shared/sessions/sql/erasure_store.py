"""The part of `SqlStore` that erasing a user asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from shared.keys import SessionKey
from shared.sessions.erasure_port import ErasedPart, KnownSessionPage
from shared.sessions.sql.opened import OpenedDatabase


class SqlErasure(OpenedDatabase):
    """`UserErasure` of the port. A process that only serves does not wait for its statements to be made."""

    async def list_user_sessions(self, *, user_id: str, after: str | None, limit: int) -> KnownSessionPage:
        from shared.sessions.sql.erasure import list_user_sessions

        return await self._read(partial(list_user_sessions, user_id=user_id, after=after, limit=limit))

    async def erase_session(self, *, key: SessionKey, gone: tuple[str, ...], limit: int) -> ErasedPart:
        from shared.sessions.sql.erasure import erase_session

        return await self._write(partial(erase_session, key=key, gone=gone, limit=limit))

    async def erase_account(self, *, user_id: str, limit: int) -> ErasedPart:
        from shared.sessions.sql.erasure import erase_account

        return await self._write(partial(erase_account, user_id=user_id, limit=limit))

    async def count_records(self, *, user_id: str) -> Mapping[str, int]:
        from shared.sessions.sql.erasure import count_records

        return await self._read(partial(count_records, user_id=user_id))

    async def clean_up(self) -> None:
        await self._runner.clean_up()
