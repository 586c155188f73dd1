"""The part of `SqlStore` that exports ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial

from sqlalchemy import bindparam, select

from shared.keys import SessionKey
from shared.sessions.account_port import Charge
from shared.sessions.deployment_port import Deployment
from shared.sessions.export_port import KnownFile
from shared.sessions.sql.columns import optional_time
from shared.sessions.sql.deployments import deployment_of
from shared.sessions.sql.opened import OpenedDatabase
from shared.sessions.sql.schema import artifacts, deployments, usage_days
from shared.sessions.sql.sessions import check_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.usage import DAY

_FILES = (
    select(artifacts.c.filename, artifacts.c.deleted_at)
    .where(artifacts.c.user_id == bindparam("user"), artifacts.c.session_id == bindparam("session"))
    .order_by(artifacts.c.filename)
)
_DEPLOYMENTS = (
    select(deployments)
    .where(deployments.c.user_id == bindparam("user"), deployments.c.session_id == bindparam("session"))
    .order_by(deployments.c.call_id)
)
_USAGE = select(usage_days).where(usage_days.c.user_id == bindparam("user")).order_by(usage_days.c.day)


class SqlExport(OpenedDatabase):
    """`ExportLists` of the port."""

    async def list_files_of(self, *, session: SessionKey) -> tuple[KnownFile, ...]:
        return await self._read(partial(_list_files, session=session))

    async def list_deployments(self, *, session: SessionKey) -> tuple[Deployment, ...]:
        return await self._read(partial(_list_deployments, session=session))

    async def list_usage(self, *, user_id: str) -> Mapping[date, Charge]:
        return await self._read(partial(_list_usage, user_id=user_id))


def _list_files(tx: Tx, session: SessionKey) -> tuple[KnownFile, ...]:
    check_session(tx, session)
    rows = tx.execute(_FILES, _ids(session)).all()
    return tuple(KnownFile(filename=row.filename, deleted_at=optional_time(row.deleted_at)) for row in rows)


def _list_deployments(tx: Tx, session: SessionKey) -> tuple[Deployment, ...]:
    check_session(tx, session)
    return tuple(deployment_of(tx, row) for row in tx.execute(_DEPLOYMENTS, _ids(session)).all())


def _list_usage(tx: Tx, user_id: str) -> dict[date, Charge]:
    return {
        datetime.fromtimestamp(row.day * DAY // 1_000_000, UTC).date(): Charge(
            tokens=row.tokens, micros=row.micros
        )
        for row in tx.execute(_USAGE, {"user": user_id}).all()
    }


def _ids(session: SessionKey) -> dict[str, str]:
    return {"user": session.user_id, "session": session.session_id}
