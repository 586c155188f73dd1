"""The transactions of `ToolCallStore`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Insert, bindparam, delete, select, update

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.messages import ToolResult
from shared.sessions.codec import Codec
from shared.sessions.sql.columns import AnyRow, from_micros, to_micros
from shared.sessions.sql.schema import tool_calls
from shared.sessions.sql.sessions import check_session
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim

_RUNNING, _DONE = "running", "done"


def _claim(database_insert: Any) -> Insert:
    new = database_insert(tool_calls)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["user_id", "session_id", "call_id"],
        set_={
            "token": new.excluded.token,
            "started_at": new.excluded.started_at,
            "lease_until": new.excluded.lease_until,
        },
        where=(tool_calls.c.status == _RUNNING)
        & (tool_calls.c.lease_until <= new.excluded.started_at)
        & (tool_calls.c.name == new.excluded.name)
        & (tool_calls.c.arguments_hash == new.excluded.arguments_hash),
    ).returning(tool_calls.c.token)
    return statement


_CLAIM = upsert(_claim)
_THIS = (
    tool_calls.c.user_id == bindparam("user"),
    tool_calls.c.session_id == bindparam("session"),
    tool_calls.c.call_id == bindparam("call"),
)
_HELD = (*_THIS, tool_calls.c.status == _RUNNING, tool_calls.c.token == bindparam("held_token"))
_LOAD = select(
    tool_calls.c.name,
    tool_calls.c.arguments_hash,
    tool_calls.c.status,
    tool_calls.c.token,
    tool_calls.c.result,
    tool_calls.c.lease_until,
).where(*_THIS)
_COMPLETE = update(tool_calls).where(*_HELD).values(status=_DONE, result=bindparam("body"))
_RELEASE = delete(tool_calls).where(*_HELD)


def claim_tool_call(tx: Tx, call: NewToolCall) -> ToolClaim | RecordedToolCall:
    """See `ToolCallStore.claim_tool_call`.

    A second transaction with the id waits here for the first one's end (Postgres) or beginning (SQLite).
    """
    check_session(tx, call.key)
    values = {
        "user_id": call.key.user_id,
        "session_id": call.key.session_id,
        "call_id": call.call_id,
        "name": call.name,
        "arguments_hash": call.arguments_hash,
        "status": _RUNNING,
        "token": call.token,
        "started_at": to_micros(call.now),
        "lease_until": to_micros(call.now + timedelta(seconds=call.lease_seconds)),
    }
    token = tx.execute(_CLAIM(tx), values).scalar()
    if token is not None:
        return ToolClaim(key=call.key, call_id=call.call_id, token=token)
    row = tx.execute(_LOAD, _ids(call.key, call.call_id)).one()
    if row.token == call.token and row.status == _RUNNING:
        # The same claim again.
        return ToolClaim(key=call.key, call_id=call.call_id, token=call.token)
    return _record(tx.codec, call.key.user_id, row)


def load_tool_call(tx: Tx, key: SessionKey, call_id: str) -> RecordedToolCall | None:
    """See `ToolCallStore.load_tool_call`."""
    row = tx.execute(_LOAD, _ids(key, call_id)).first()
    return None if row is None else _record(tx.codec, key.user_id, row)


def complete_tool_call(tx: Tx, claim: ToolClaim, result: ToolResult) -> None:
    """See `ToolCallStore.complete_tool_call`."""
    values = _ids(claim.key, claim.call_id) | {
        "held_token": claim.token,
        "body": tx.codec.encode(result, claim.key.user_id),
    }
    if tx.execute(_COMPLETE, values).rowcount == 0 and not _is_complete(tx, claim, result):
        raise SessionConflictError("the claim on this tool call was lost")


def _is_complete(tx: Tx, claim: ToolClaim, result: ToolResult) -> bool:
    """Whether the same call recorded the result before."""
    row = tx.execute(_LOAD, _ids(claim.key, claim.call_id)).first()
    if row is None or row.token != claim.token or row.result is None:
        return False
    codec, user_id = tx.codec, claim.key.user_id
    wanted = codec.decode(codec.encode(result, user_id), user_id)
    return bool(codec.decode(row.result, user_id) == wanted)


def release_tool_call(tx: Tx, claim: ToolClaim) -> None:
    """See `ToolCallStore.release_tool_call`."""
    tx.execute(_RELEASE, _ids(claim.key, claim.call_id) | {"held_token": claim.token})


def _record(codec: Codec, user_id: str, row: AnyRow) -> RecordedToolCall:
    return RecordedToolCall(
        name=row.name,
        arguments_hash=row.arguments_hash,
        result=None if row.result is None else codec.decode_tool_result(row.result, user_id),
        lease_until=from_micros(row.lease_until),
    )


def _ids(key: SessionKey, call_id: str) -> dict[str, Any]:
    return {"user": key.user_id, "session": key.session_id, "call": call_id}
