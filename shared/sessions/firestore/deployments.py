"""The transactions of `DeploymentStore`: a document a deployment."""

from __future__ import annotations

from datetime import datetime

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.deployment_port import ENDED, Deployment, NewDeployment
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import document_id, from_name, session_id, to_name
from shared.sessions.firestore.outbox import put_events
from shared.sessions.firestore.sessions import is_live, session_not_found, session_ref
from shared.sessions.firestore.times import from_micros, later, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.outbox_port import OutgoingEvent

_MOST_SESSIONS = 10


def _ref(key: SessionKey, call_id: str) -> Ref:
    return Ref("deployments", document_id(key.user_id, key.session_id, call_id))


async def claim_deployment(tx: Transaction, new: NewDeployment) -> Deployment:
    """See `DeploymentStore.claim_deployment`."""
    session, document = await tx.get(session_ref(new.key), _ref(new.key, new.call_id))
    if not is_live(session):
        raise session_not_found()
    if not document.exists:
        document.set(
            user=to_name(new.key.user_id),
            session=session_id(new.key),
            session_id=to_name(new.key.session_id),
            call_id=to_name(new.call_id),
            deployment_id=to_name(new.deployment_id),
            asked=new.asked,
            state="begun",
            progress=checked(tx.codec.encode(new.progress, new.key.user_id)),
            bot_id=None,
            updated_at=to_micros(new.now),
        )
    elif not _is_free(document, new):
        return deployment_of(tx, document)
    # Of any size: as text, since no emulator takes more than 53 bits.
    document.set(token=str(new.token), until=later(new.now, new.lease_seconds))
    return deployment_of(tx, document)


async def load_deployment(tx: Transaction, key: SessionKey, call_id: str) -> Deployment | None:
    """See `DeploymentStore.load_deployment`."""
    document = await tx.one(_ref(key, call_id))
    return deployment_of(tx, document) if document.exists else None


async def write_deployment(
    tx: Transaction,
    deployment: Deployment,
    now: datetime,
    lease_seconds: float,
    events: tuple[OutgoingEvent, ...],
) -> None:
    """See `DeploymentStore.write_deployment`."""
    key = deployment.key
    session, document = await tx.get(session_ref(key), _ref(key, deployment.call_id))
    if not document.exists or document["token"] != str(deployment.token) or document["state"] in ENDED:
        if _is_written(document, deployment):
            return
        raise SessionConflictError("another process has this deployment, or it has ended")
    document.set(
        state=deployment.state,
        progress=checked(tx.codec.encode(deployment.progress, key.user_id)),
        bot_id=None if deployment.bot_id is None else to_name(deployment.bot_id),
        until=later(now, lease_seconds),
        updated_at=to_micros(now),
    )
    if events and session.exists:
        await put_events(tx, session, events, now)


async def session_deployments(tx: Transaction, key: SessionKey, limit: int) -> tuple[Deployment, ...]:
    """See `DeploymentStore.session_deployments`."""
    query = Query(
        collection="deployments",
        order="updated_at",
        equal=(("session", session_id(key)),),
        descending=True,
        limit=limit,
    )
    return tuple(deployment_of(tx, document) for document in await tx.find(query))


async def sessions_of_bot(tx: Transaction, bot_id: str) -> tuple[SessionKey, ...]:
    """See `DeploymentStore.sessions_of_bot`."""
    query = Query(
        collection="deployments",
        order="updated_at",
        equal=(("bot_id", to_name(bot_id)),),
        descending=True,
        limit=_MOST_SESSIONS,
    )
    keys = (_key(document) for document in await tx.find(query))
    return tuple(dict.fromkeys(keys))


def _is_free(document: Document, new: NewDeployment) -> bool:
    """Whether the claim may have it: the same is asked, nobody holds it, and it goes on."""
    return (
        document["state"] not in ENDED
        and document["until"] <= to_micros(new.now)
        and document["asked"] == new.asked
    )


def _is_written(document: Document, deployment: Deployment) -> bool:
    """Whether the same call ended it before."""
    if not document.exists or document["state"] not in ENDED:
        return False
    bot_id = None if deployment.bot_id is None else to_name(deployment.bot_id)
    wanted = (str(deployment.token), deployment.state, bot_id)
    return bool((document["token"], document["state"], document["bot_id"]) == wanted)


def _key(document: Document) -> SessionKey:
    return SessionKey(user_id=from_name(document["user"]), session_id=from_name(document["session_id"]))


def deployment_of(tx: Transaction, document: Document) -> Deployment:
    """The record that a document holds."""
    key = _key(document)
    bot_id = document["bot_id"]
    return Deployment(
        key=key,
        call_id=from_name(document["call_id"]),
        deployment_id=from_name(document["deployment_id"]),
        asked=document["asked"],
        state=document["state"],
        token=int(document["token"]),
        lease_until=from_micros(document["until"]),
        progress=tx.codec.decode(document["progress"], key.user_id),
        bot_id=None if bot_id is None else from_name(bot_id),
    )
