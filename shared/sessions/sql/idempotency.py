"""Keys that make a repeated request find the turn of the first one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, bindparam, select

from shared.errors import IdempotencyMismatchError
from shared.keys import SessionKey
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.schema import idempotency
from shared.sessions.sql.sessions import load_session
from shared.sessions.sql.turn_rows import load_turn
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert
from shared.sessions.sql.waiting import begin_again
from shared.sessions.turn_port import BegunTurn, NewTurn

KEPT = timedelta(hours=24)

_KEPT_MICROS = KEPT // timedelta(microseconds=1)


def _take_key(database_insert: Any) -> Insert:
    new = database_insert(idempotency)
    names = ("body_hash", "turn_id", "session_id", "expires_at")
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "key"],
        set_={name: new.excluded[name] for name in names},
        # The new row expires KEPT from now: a key that is past by then is free.
        where=idempotency.c.expires_at <= new.excluded.expires_at - _KEPT_MICROS,
    ).returning(idempotency.c.turn_id)
    return statement


_TAKE_KEY = upsert(_take_key)
_TAKEN = select(idempotency.c.body_hash, idempotency.c.turn_id, idempotency.c.session_id).where(
    idempotency.c.user_id == bindparam("user"), idempotency.c.key == bindparam("key")
)


_KNOWN = select(idempotency.c.turn_id).where(
    idempotency.c.user_id == bindparam("user"),
    idempotency.c.key == bindparam("key"),
    idempotency.c.expires_at > bindparam("now"),
)


def knows_key(tx: Tx, user_id: str, idempotency_key: str, now: datetime) -> bool:
    """See `TurnStore.knows_key`."""
    values = {"user": user_id, "key": idempotency_key, "now": to_micros(now)}
    return tx.execute(_KNOWN, values).first() is not None


def repeated_turn(tx: Tx, new: NewTurn, key: str) -> BegunTurn | None:
    """The turn that the key named in the last 24 hours; None when the key is now taken for the new turn.

    A second transaction with the key waits here for the first one's end (Postgres) or beginning (SQLite).

    Raises:
        IdempotencyMismatchError: the key came with another body.
        SessionNotFoundError: the turn's session was deleted.
        TurnNotFoundError: the turn was rolled back.
    """
    values = {
        "user_id": new.key.user_id,
        "key": key,
        "body_hash": new.body_hash,
        "turn_id": new.turn_id,
        "session_id": new.key.session_id,
        "expires_at": to_micros(new.now) + _KEPT_MICROS,
    }
    if tx.execute(_TAKE_KEY(tx), values).first() is not None:
        return None
    row = tx.execute(_TAKEN, {"user": new.key.user_id, "key": key}).one()
    if row.body_hash != new.body_hash:
        raise IdempotencyMismatchError("this Idempotency-Key was used with another body")
    if row.turn_id == new.turn_id:
        return begin_again(tx, new)
    session = load_session(tx, SessionKey(user_id=new.key.user_id, session_id=row.session_id))
    turn = load_turn(tx, new.key.user_id, row.turn_id, new.now)
    return BegunTurn(turn=turn, session=session, lease=None)
