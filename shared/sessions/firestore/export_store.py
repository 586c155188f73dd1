"""The part of `FirestoreStore` that exports ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial

from shared.keys import SessionKey
from shared.sessions.account_port import Charge
from shared.sessions.deployment_port import Deployment
from shared.sessions.export_port import KnownFile
from shared.sessions.firestore.client import Query
from shared.sessions.firestore.collections import of_user
from shared.sessions.firestore.deployments import deployment_of
from shared.sessions.firestore.names import from_name
from shared.sessions.firestore.opened import OpenedFirestore
from shared.sessions.firestore.sessions import live_session
from shared.sessions.firestore.times import from_micros
from shared.sessions.firestore.transaction import Transaction
from shared.sessions.firestore.usage import KEPT, used_on


class FirestoreExport(OpenedFirestore):
    """`ExportLists` of the port."""

    async def list_files_of(self, *, session: SessionKey) -> tuple[KnownFile, ...]:
        return await self._runner.read(partial(_list_files, session=session))

    async def list_deployments(self, *, session: SessionKey) -> tuple[Deployment, ...]:
        return await self._runner.read(partial(_list_deployments, session=session))

    async def list_usage(self, *, user_id: str) -> Mapping[date, Charge]:
        return await self._runner.read(partial(_list_usage, user_id=user_id))


async def _list_files(tx: Transaction, *, session: SessionKey) -> tuple[KnownFile, ...]:
    document = await live_session(tx, session)
    found = await tx.find(Query(collection="files", equal=(("session", document.ref.id),), order="name"))
    files = (
        KnownFile(
            filename=from_name(file["name"]),
            deleted_at=None if file["deleted_at"] is None else from_micros(file["deleted_at"]),
        )
        for file in found
    )
    return tuple(sorted(files, key=lambda file: file.filename))


async def _list_deployments(tx: Transaction, *, session: SessionKey) -> tuple[Deployment, ...]:
    place = (await live_session(tx, session)).ref.id
    same = ((">=", place), ("<=", place))
    found = await tx.find(Query(collection="deployments", order="session", range=same))
    return tuple(sorted((deployment_of(tx, each) for each in found), key=lambda each: each.call_id))


async def _list_usage(tx: Transaction, *, user_id: str) -> dict[date, Charge]:
    found = await tx.find(of_user("usage_days", user_id))
    # A day's document has no number of its own: it is kept for 91 days from its beginning.
    days = ((day["expires_at"] - KEPT, used_on(day)) for day in found)
    return {moment.date(): used for moment, used in sorted(days, key=lambda each: each[0])}
