"""A session's messages, derived from its turns."""

from __future__ import annotations

import uuid
from typing import Any

from functions.chat.wire import calls_wire, saved_files
from shared.clock import to_wire
from shared.turn import Turn


def messages_of(turn: Turn) -> list[dict[str, Any]]:
    """The turn's user message and, when there is any of it, the assistant's answer, as JSON.

    Ids are derived from the turn's id, so that the same message always has the same.
    """
    user = {
        "id": _id(turn, "user"),
        "role": "user",
        "content": turn.request.message,
        "artifacts_created": [],
        "timestamp": to_wire(turn.created_at),
    }
    calls = calls_wire(turn)
    content = turn.response or _reason(turn)
    if not content and not calls:
        return [user]
    assistant = {
        "id": _id(turn, "assistant"),
        "role": "assistant",
        "content": content,
        "artifacts_created": saved_files(turn),
        "tool_calls": calls,
        "timestamp": to_wire(turn.completed_at or turn.step_times[-1]),
    }
    return [user, assistant]


def _reason(turn: Turn) -> str:
    """Why there is no answer, where there is none."""
    final = turn.final
    if final is not None and final.error:
        return f"[{final.error}]"
    return "[The turn was interrupted.]" if turn.status == "interrupted" else ""


def _id(turn: Turn, role: str) -> str:
    return str(uuid.uuid5(uuid.UUID(turn.turn_id), role))
