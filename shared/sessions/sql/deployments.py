"""The transactions of `DeploymentStore`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, bindparam, func, select, update

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.deployment_port import ENDED, Deployment, NewDeployment
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.sql.columns import AnyRow, from_micros, to_micros
from shared.sessions.sql.outbox import add_events
from shared.sessions.sql.schema import deployments, sessions
from shared.sessions.sql.sessions import check_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

_MOST_SESSIONS = 10


def _claim(database_insert: Any) -> Insert:
    new = database_insert(deployments)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id", "call_id"],
        set_={"token": new.excluded.token, "lease_until": new.excluded.lease_until},
        where=(deployments.c.state.not_in(ENDED))
        & (deployments.c.lease_until <= new.excluded.updated_at)
        & (deployments.c.asked == new.excluded.asked),
    )
    return statement


_CLAIM = upsert(_claim)
_THIS = (
    deployments.c.user_id == bindparam("user"),
    deployments.c.session_id == bindparam("session"),
    deployments.c.call_id == bindparam("call"),
)
_LOAD = select(deployments).where(*_THIS)
_WRITE = (
    update(deployments)
    .where(*_THIS, deployments.c.token == bindparam("held_token"), deployments.c.state.not_in(ENDED))
    .values(
        state=bindparam("new_state"),
        progress=bindparam("body"),
        bot_id=bindparam("bot"),
        lease_until=bindparam("until"),
        updated_at=bindparam("now"),
    )
)
# Also of a deleted session: events of one session are numbered under its row.
_HOLD_SESSION = (
    select(sessions.c.revision)
    .where(sessions.c.user_id == bindparam("user"), sessions.c.session_id == bindparam("session"))
    .with_for_update(key_share=True)
)
_OF_SESSION = (
    select(deployments)
    .where(deployments.c.user_id == bindparam("user"), deployments.c.session_id == bindparam("session"))
    .order_by(deployments.c.updated_at.desc(), deployments.c.deployment_id.desc())
    .limit(bindparam("most"))
)
_OF_BOT = (
    select(deployments.c.user_id, deployments.c.session_id)
    .where(deployments.c.bot_id == bindparam("bot"))
    .order_by(deployments.c.updated_at.desc())
    .limit(_MOST_SESSIONS)
)
_RANKED = (
    select(
        deployments.c.bot_id,
        deployments.c.user_id,
        deployments.c.session_id,
        func.row_number()
        .over(partition_by=deployments.c.bot_id, order_by=deployments.c.updated_at.desc())
        .label("place"),
    )
    .where(deployments.c.bot_id.in_(bindparam("bots", expanding=True)))
    .subquery()
)
_OF_BOTS = (
    select(_RANKED.c.bot_id, _RANKED.c.user_id, _RANKED.c.session_id)
    .where(_RANKED.c.place <= _MOST_SESSIONS)
    .order_by(_RANKED.c.bot_id, _RANKED.c.place)
)


def claim_deployment(tx: Tx, new: NewDeployment) -> Deployment:
    """See `DeploymentStore.claim_deployment`."""
    check_session(tx, new.key)
    now = to_micros(new.now)
    values = {
        "user_id": new.key.user_id,
        "session_id": new.key.session_id,
        "call_id": new.call_id,
        "deployment_id": new.deployment_id,
        "asked": new.asked,
        "state": "begun",
        "token": new.token,
        "lease_until": to_micros(new.now + timedelta(seconds=new.lease_seconds)),
        "progress": tx.codec.encode(new.progress, new.key.user_id),
        "created_at": now,
        "updated_at": now,
    }
    tx.execute(_CLAIM(tx), values)
    return deployment_of(tx, tx.execute(_LOAD, _ids(new.key, new.call_id)).one())


def load_deployment(tx: Tx, key: SessionKey, call_id: str) -> Deployment | None:
    """See `DeploymentStore.load_deployment`."""
    row = tx.execute(_LOAD, _ids(key, call_id)).first()
    return None if row is None else deployment_of(tx, row)


def write_deployment(
    tx: Tx,
    deployment: Deployment,
    now: datetime,
    lease_seconds: float,
    events: tuple[OutgoingEvent, ...],
) -> None:
    """See `DeploymentStore.write_deployment`."""
    key = deployment.key
    if events:
        tx.execute(_HOLD_SESSION, {"user": key.user_id, "session": key.session_id})
    values = _ids(key, deployment.call_id) | {
        "held_token": deployment.token,
        "new_state": deployment.state,
        "body": tx.codec.encode(deployment.progress, key.user_id),
        "bot": deployment.bot_id,
        "until": to_micros(now + timedelta(seconds=lease_seconds)),
        "now": to_micros(now),
    }
    if tx.execute(_WRITE, values).rowcount:
        add_events(tx, key, events, now)
    elif not _is_written(tx, deployment):
        raise SessionConflictError("another process has this deployment, or it has ended")


def session_deployments(tx: Tx, key: SessionKey, limit: int) -> tuple[Deployment, ...]:
    """See `DeploymentStore.session_deployments`."""
    rows = tx.execute(_OF_SESSION, {"user": key.user_id, "session": key.session_id, "most": limit}).all()
    return tuple(deployment_of(tx, row) for row in rows)


def sessions_of_bot(tx: Tx, bot_id: str) -> tuple[SessionKey, ...]:
    """See `DeploymentStore.sessions_of_bot`."""
    rows = tx.execute(_OF_BOT, {"bot": bot_id}).all()
    found = (SessionKey(user_id=row.user_id, session_id=row.session_id) for row in rows)
    return tuple(dict.fromkeys(found))


def sessions_of_bots(tx: Tx, bot_ids: frozenset[str]) -> dict[str, tuple[SessionKey, ...]]:
    """See `DeploymentStore.sessions_of_bots`."""
    found: dict[str, dict[SessionKey, None]] = {bot_id: {} for bot_id in bot_ids}
    if found:
        for row in tx.execute(_OF_BOTS, {"bots": sorted(found)}).all():
            found[row.bot_id][SessionKey(user_id=row.user_id, session_id=row.session_id)] = None
    return {bot_id: tuple(keys) for bot_id, keys in found.items()}


def _is_written(tx: Tx, deployment: Deployment) -> bool:
    """Whether the same call ended it before."""
    found = load_deployment(tx, deployment.key, deployment.call_id)
    return (
        found is not None
        and found.has_ended
        and (found.token, found.state, found.bot_id)
        == (deployment.token, deployment.state, deployment.bot_id)
    )


def deployment_of(tx: Tx, row: AnyRow) -> Deployment:
    """The record that a row holds."""
    return Deployment(
        key=SessionKey(user_id=row.user_id, session_id=row.session_id),
        call_id=row.call_id,
        deployment_id=row.deployment_id,
        asked=row.asked,
        state=row.state,
        token=row.token,
        lease_until=from_micros(row.lease_until),
        progress=tx.codec.decode(row.progress, row.user_id),
        bot_id=row.bot_id,
    )


def _ids(key: SessionKey, call_id: str) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id, "call": call_id}
