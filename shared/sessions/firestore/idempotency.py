"""Keys that make a repeated request find the turn of the first one."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.errors import IdempotencyMismatchError
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.history import repeated
from shared.sessions.firestore.names import document_id, from_name, to_name
from shared.sessions.firestore.sessions import running_turn, session_of
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.turn_port import BegunTurn, NewTurn

KEPT = timedelta(hours=24)


def key_ref(user_id: str, key: str) -> Ref:
    """Where the document of an idempotency key is."""
    return Ref("keys", document_id(user_id, key))


async def knows_key(tx: Transaction, user_id: str, idempotency_key: str, now: datetime) -> bool:
    """See `TurnStore.knows_key`."""
    key = await tx.one(key_ref(user_id, idempotency_key))
    return key.exists and bool(key["expires_at"] > now)


async def repeated_turn(tx: Transaction, new: NewTurn, key: Document) -> BegunTurn | None:
    """The turn that the key named in the last 24 hours; None when it named none.

    Raises:
        IdempotencyMismatchError: the key came with another body.
        SessionNotFoundError: the turn's session was deleted.
        TurnNotFoundError: the turn was rolled back.
    """
    if not key.exists or key["expires_at"] <= new.now:
        return None
    if key["body_hash"] != new.body_hash:
        raise IdempotencyMismatchError("this Idempotency-Key was used with another body")
    turn, session = await repeated(tx, new.key.user_id, from_name(key["turn_id"]), new.now)
    running = await running_turn(tx, session)
    return BegunTurn(turn=turn, session=session_of(tx, turn.key, session, running), lease=None)


def take_key(key: Document, new: NewTurn) -> None:
    """Makes the key name the new turn."""
    key.set(
        user=to_name(new.key.user_id),
        body_hash=new.body_hash,
        turn_id=to_name(new.turn_id),
        expires_at=new.now + KEPT,
    )
