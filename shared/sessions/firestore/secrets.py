"""The transactions of `UserSecrets`: the value is a body like any other, sealed for its user."""

from __future__ import annotations

from datetime import datetime

from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.names import document_id, to_name
from shared.sessions.firestore.times import to_micros
from shared.sessions.firestore.transaction import Transaction


async def save_user_secret(tx: Transaction, *, user_id: str, name: str, value: str, now: datetime) -> None:
    """See `UserSecrets.save_user_secret`."""
    secret = await tx.one(_ref(user_id, name))
    body = checked(tx.codec.encode(value, user_id))
    secret.set(user=to_name(user_id), value=body, updated_at=to_micros(now))


async def load_user_secret(tx: Transaction, *, user_id: str, name: str) -> str | None:
    """See `UserSecrets.load_user_secret`."""
    secret = await tx.one(_ref(user_id, name))
    if not secret.exists:
        return None
    value: str = tx.codec.decode(secret["value"], user_id)
    return value


async def delete_user_secret(tx: Transaction, *, user_id: str, name: str) -> None:
    """See `UserSecrets.delete_user_secret`."""
    (await tx.one(_ref(user_id, name))).delete()


def _ref(user_id: str, name: str) -> Ref:
    return Ref("secrets", document_id(user_id, name))
