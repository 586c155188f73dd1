"""The JSON of the chat routes, as contract section 3 names it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictBool, StringConstraints

from shared.agent.calls import open_calls, open_question
from shared.clock import to_wire
from shared.messages import ToolCall, ToolResult, Usage
from shared.session import Session
from shared.turn import UNFINISHED, ModelStep, Turn
from shared.web.model import WireModel

SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class ChatBody(WireModel):
    """`POST /chat`, `/chat/stream`, `/api/agent/chat`."""

    model_config = ConfigDict(extra="ignore")

    message: str = Field(min_length=1, max_length=32768)
    session_id: SessionId | None = None
    user_id: str | None = None
    enable_tools: bool = True
    context: dict[str, Any] = Field(default_factory=dict)
    model: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/@-]{0,127}$")
    if_busy: Literal["reject", "wait", "interrupt", "rollback"] = "reject"


class NewSessionBody(WireModel):
    """`POST /chat/sessions`."""

    title: Title | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    session_id: SessionId | None = None
    user_id: str | None = None


class TitleBody(WireModel):
    """`PUT /chat/sessions/{id}/title`."""

    title: Title | None = None
    user_id: str | None = None


class UsageAnswer(WireModel):
    """Tokens."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class ToolCallAnswer(WireModel):
    """One tool call of a turn."""

    id: str
    name: str
    arguments: dict[str, Any]
    status: Literal["ok", "error", "running"]
    duration_ms: int
    error: str | None = None


class ApprovalAnswer(WireModel):
    """A tool call that waits for the user's answer."""

    id: str
    name: str
    arguments: dict[str, Any]
    expires_at: str


class ChatAnswer(WireModel):
    """The answer of `POST /chat`."""

    session_id: str
    turn_id: str
    response: str
    message: str
    artifacts: list[str]
    tool_calls: list[ToolCallAnswer]
    usage: UsageAnswer
    model: str
    finish_reason: str
    approvals: list[ApprovalAnswer] | None = None


class ApprovalBody(WireModel):
    """`POST /chat/turns/{turn_id}/approvals/{tool_call_id}`.

    A yes to a call whose arguments say `unverified` says so too.
    """

    approved: StrictBool
    unverified: StrictBool = False
    user_id: str | None = None


class TurnAnswer(WireModel):
    """`GET /chat/turns/{turn_id}`."""

    turn_id: str
    session_id: str
    status: Literal["running", "completed", "failed", "cancelled", "interrupted"]
    response: str
    tool_calls: list[ToolCallAnswer]
    usage: UsageAnswer
    created_at: str
    completed_at: str | None
    approvals: list[ApprovalAnswer] | None = None


class SessionAnswer(WireModel):
    """One session of a list."""

    id: str
    title: str
    created_at: str
    updated_at: str
    is_active: bool


class MessageAnswer(WireModel):
    """One message of a session."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    artifacts_created: list[str]
    tool_calls: list[ToolCallAnswer] | None = None
    timestamp: str


class WordAnswer(WireModel):
    """What was done, in words."""

    message: str


def usage_wire(usage: Usage) -> dict[str, int]:
    """Usage as JSON."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }


def call_wire(call: ToolCall, result: ToolResult | None) -> dict[str, Any]:
    """A tool call with its outcome as JSON."""
    wire: dict[str, Any] = {
        "id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": result.status if result else "running",
        "duration_ms": result.duration_ms if result else 0,
    }
    if result is not None and result.error is not None:
        wire["error"] = result.error.message
    return wire


def calls_wire(turn: Turn) -> list[dict[str, Any]]:
    """All tool calls of a turn; one that never had a result in a turn that has ended is an error."""
    wires = [call_wire(call, result) for call, result in turn.tool_calls]
    if turn.status not in UNFINISHED:
        for wire in wires:
            if wire["status"] == "running":
                wire.update(status="error", error="the turn ended before this tool had a result")
    return wires


def saved_files(turn: Turn) -> list[str]:
    """The names of the files the turn saved, each once, in order."""
    results = (result for _, result in turn.tool_calls if result is not None)
    return list(dict.fromkeys(name for result in results for name in result.artifacts))


def chat_wire(turn: Turn) -> dict[str, Any]:
    """A turn that has ended or waits for the user's yes, as the answer of `POST /chat`."""
    last = next((s for s in reversed(turn.steps) if isinstance(s, ModelStep)), None)
    final = turn.final
    approvals = approvals_wire(turn)
    return {
        "session_id": turn.key.session_id,
        "turn_id": turn.turn_id,
        "response": turn.response,
        "message": turn.response,
        "artifacts": saved_files(turn),
        "tool_calls": calls_wire(turn),
        "usage": usage_wire(turn.usage),
        "model": last.model if last else turn.request.model or "",
        "finish_reason": "approval_required" if approvals else final.finish_reason if final else "error",
        **approvals,
    }


def approvals_wire(turn: Turn) -> dict[str, Any]:
    """`approvals`: the calls that wait for the user's answer; nothing where none does."""
    if turn.status != "paused":
        return {}
    questions = (open_question(turn, call.id) for call in open_calls(turn))
    asked = [
        {
            "id": question.call_id,
            "name": question.name,
            "arguments": question.arguments,
            "expires_at": to_wire(question.expires_at),
        }
        for question in questions
        if question is not None
    ]
    return {"approvals": asked}


def turn_wire(turn: Turn) -> dict[str, Any]:
    """A turn as it stands."""
    return {
        "turn_id": turn.turn_id,
        "session_id": turn.key.session_id,
        # To a caller a turn that waits, in line or for a yes, has not ended.
        "status": "running" if turn.status in UNFINISHED else turn.status,
        "response": turn.response,
        "tool_calls": calls_wire(turn),
        "usage": usage_wire(turn.usage),
        "created_at": to_wire(turn.created_at),
        "completed_at": to_wire(turn.completed_at) if turn.completed_at else None,
        **approvals_wire(turn),
    }


def session_wire(session: Session) -> dict[str, Any]:
    """A session of a list."""
    return {
        "id": session.key.session_id,
        "title": session.title,
        "created_at": to_wire(session.created_at),
        "updated_at": to_wire(session.updated_at),
        "is_active": session.is_active,
    }
