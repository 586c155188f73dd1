"""The transactions of `UserSecrets`: the value is a body like any other, sealed for its user."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, delete, select

from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import user_secrets
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert


def _save(database_insert: Any) -> Insert:
    new = database_insert(user_secrets)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "name"],
        set_={"value": new.excluded.value, "updated_at": new.excluded.updated_at},
    )
    return statement


_THIS = (user_secrets.c.user_id == bindparam("user"), user_secrets.c.name == bindparam("secret_name"))
_SAVE = upsert(_save)
_LOAD = select(user_secrets.c.value).where(*_THIS)
_DELETE = delete(user_secrets).where(*_THIS)


def save_user_secret(tx: Tx, *, user_id: str, name: str, value: str, now: datetime) -> None:
    """See `UserSecrets.save_user_secret`."""
    values = {
        "user_id": user_id,
        "name": name,
        "value": tx.codec.encode(value, user_id),
        "updated_at": to_micros(now),
    }
    tx.execute(_SAVE(tx), values)


def load_user_secret(tx: Tx, *, user_id: str, name: str) -> str | None:
    """See `UserSecrets.load_user_secret`."""
    row = tx.execute(_LOAD, {"user": user_id, "secret_name": name}).first()
    if row is None:
        return None
    value: str = tx.codec.decode(row.value, user_id)
    return value


def delete_user_secret(tx: Tx, *, user_id: str, name: str) -> None:
    """See `UserSecrets.delete_user_secret`."""
    tx.execute(_DELETE, {"user": user_id, "secret_name": name})
