"""The transactions of `ToolCallStore`: a document a call."""

from __future__ import annotations

from datetime import timedelta

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.messages import ToolResult
from shared.sessions.firestore.bodies import Bodies, put_body
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.names import document_id, from_name, to_name
from shared.sessions.firestore.sessions import is_live, session_not_found, session_ref
from shared.sessions.firestore.times import from_micros, later, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim

_KEPT = timedelta(hours=24)


def _ref(key: SessionKey, call_id: str) -> Ref:
    return Ref("tool_calls", document_id(key.user_id, key.session_id, call_id))


async def claim_tool_call(tx: Transaction, call: NewToolCall) -> ToolClaim | RecordedToolCall:
    """See `ToolCallStore.claim_tool_call`."""
    session, document = await tx.get(session_ref(call.key), _ref(call.key, call.call_id))
    if not is_live(session):
        raise session_not_found()
    claim = ToolClaim(key=call.key, call_id=call.call_id, token=call.token)
    if document.exists and not _is_dead(document, call):
        return claim if _holds(document, claim) else await _record(tx, document)
    document.set(
        user=to_name(call.key.user_id),
        session=session.ref.id,
        name=to_name(call.name),
        arguments_hash=call.arguments_hash,
        # Of any size: as text, since no emulator takes more than 53 bits.
        token=str(call.token),
        result=None,
        is_split=False,
        until=later(call.now, call.lease_seconds),
        expires_at=call.now + _KEPT,
    )
    return claim


async def load_tool_call(tx: Transaction, key: SessionKey, call_id: str) -> RecordedToolCall | None:
    """See `ToolCallStore.load_tool_call`."""
    document = await tx.one(_ref(key, call_id))
    return await _record(tx, document) if document.exists else None


async def complete_tool_call(tx: Transaction, claim: ToolClaim, result: ToolResult) -> None:
    """See `ToolCallStore.complete_tool_call`; a result that is there already is a repeat."""
    document = await tx.one(_ref(claim.key, claim.call_id))
    if not _holds(document, claim):
        if document.exists and document["token"] == str(claim.token):
            recorded = await _record(tx, document)
            if recorded.result == result:
                return
        raise SessionConflictError("the claim on this tool call was lost")
    sealed = tx.codec.encode(result, claim.key.user_id)
    body, _ = put_body(tx, document, "result", sealed, inline=0)
    document.set(result=body)


async def release_tool_call(tx: Transaction, claim: ToolClaim) -> None:
    """See `ToolCallStore.release_tool_call`."""
    document = await tx.one(_ref(claim.key, claim.call_id))
    if _holds(document, claim):
        document.delete()


def _holds(document: Document, claim: ToolClaim) -> bool:
    return document.exists and document["result"] is None and document["token"] == str(claim.token)


def _is_dead(document: Document, call: NewToolCall) -> bool:
    """Whether the call ran out of time without a result, and this one is the same."""
    return (
        document["result"] is None
        and document["until"] <= to_micros(call.now)
        and from_name(document["name"]) == call.name
        and document["arguments_hash"] == call.arguments_hash
    )


async def _record(tx: Transaction, document: Document) -> RecordedToolCall:
    result = None
    if document["result"] is not None:
        owned = (document.ref.id, document["result"])
        stored = (await Bodies.of(tx, (owned,))).whole(*owned)
        result = tx.codec.decode_tool_result(stored, from_name(document["user"]))
    return RecordedToolCall(
        name=from_name(document["name"]),
        arguments_hash=document["arguments_hash"],
        result=result,
        lease_until=from_micros(document["until"]),
    )
