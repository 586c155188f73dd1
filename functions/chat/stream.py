"""Turn updates as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.chat.leaving import Leave, unless_gone
from functions.chat.wire import usage_wire
from shared.agent.updates import (
    ApprovalUpdate,
    ArtifactsUpdate,
    CompleteUpdate,
    ContentUpdate,
    ErrorUpdate,
    SessionUpdate,
    ToolCallUpdate,
    ToolResultUpdate,
    Update,
)
from shared.clock import to_wire
from shared.errors import AppError

KEEP_ALIVE_SECONDS = 15.0
MAX_RESULT_BYTES = 4096
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"


def chunk_of(update: Update, session_id: str) -> dict[str, Any]:
    """The update as the JSON of contract section 3."""
    head = {"type": update.type, "session_id": session_id}
    match update:
        case ContentUpdate(content=content):
            return {**head, "content": content}
        case SessionUpdate(turn_id=turn_id):
            return {**head, "turn_id": turn_id}
        case ToolCallUpdate(call=call):
            return {**head, "id": call.id, "name": call.name, "arguments": call.arguments}
        case ToolResultUpdate(result=result):
            shown = {"error": result.error.message} if result.error else result.result
            return {
                **head,
                "id": result.id,
                "name": result.name,
                "status": result.status,
                "result": summary(shown),
                "duration_ms": result.duration_ms,
            }
        case ArtifactsUpdate(filenames=filenames):
            return {**head, "artifacts": list(filenames)}
        case ApprovalUpdate():
            return {
                **head,
                "id": update.call_id,
                "name": update.name,
                "arguments": update.arguments,
                "expires_at": to_wire(update.expires_at),
            }
        case CompleteUpdate():
            return {
                **head,
                "turn_id": update.turn_id,
                "usage": usage_wire(update.usage),
                "finish_reason": update.finish_reason,
            }
        case ErrorUpdate():
            return {**head, "error": update.error, "code": update.code, "retryable": update.retryable}


def summary(value: Any) -> Any:
    """The value itself when its JSON fits in 4 KiB, else the beginning of its JSON, marked as cut."""
    text = orjson.dumps(value)
    if len(text) <= MAX_RESULT_BYTES:
        return value
    # Escaped as a JSON string, the text may grow: at most to twice its length for what we emit.
    cut = text[: MAX_RESULT_BYTES // 2 - 64].decode("utf-8", "ignore")
    return {"truncated": True, "bytes": len(text), "beginning": cut}


def frame(update: Update, session_id: str) -> bytes:
    """The update as one server-sent event."""
    return b"id: %d.%d\ndata: %b\n\n" % (*update.at, orjson.dumps(chunk_of(update, session_id)))


class EventStream(Response):
    """Updates as `text/event-stream`, a comment for each silence, ended by `[DONE]`.

    Where the turn goes on without its client in this process, nothing listens for the client to go away: what
    is sent then goes nowhere, and a task beside each stream would cost more. Else `leave` is called then.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        updates: AsyncIterator[tuple[Update, ...]],
        session_id: str,
        *,
        leave: Leave | None = None,
    ) -> None:
        self._leave = leave
        self._updates = updates
        self._session_id = session_id
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await unless_gone(self._send(send), receive, self._leave)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for data in self._frames():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": DONE, "more_body": False})

    async def _frames(self) -> AsyncIterator[bytes]:
        try:
            async for updates in self._updates:
                frames = [frame(update, self._session_id) for update in updates]
                yield b"".join(frames) or KEEP_ALIVE
        except AppError as error:
            # The status is sent already: what fails now is told in the stream itself.
            body = {
                "type": "error",
                "session_id": self._session_id,
                "error": error.message,
                "code": error.code,
                "retryable": error.retryable,
            }
            yield b"data: %b\n\n" % orjson.dumps(body)
