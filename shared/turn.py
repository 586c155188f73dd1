"""A turn: a user message and all that follows, as an append-only list of numbered steps.

Everything else is derived from the steps: what the model sees next, what a stream sends, what is resumed,
what the session's messages are. The stored forms are made in sessions/codec.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from shared.keys import SessionKey
from shared.messages import FinishReason, TextPart, ToolCall, ToolResult, Usage

TurnStatus = Literal["waiting", "running", "paused", "completed", "failed", "cancelled", "interrupted"]
# waiting: its place in a session's line is kept, nothing of it has run. paused: it waits for the user's yes.
UNFINISHED: tuple[TurnStatus, ...] = ("waiting", "running", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStep:
    """Step 0: what the user asked for."""

    text: str
    context: dict[str, Any] = field(default_factory=dict, hash=False)
    kind: Literal["user"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStep:
    """One reply of the model, as it came: text and tool calls in its order."""

    parts: tuple[TextPart | ToolCall, ...]
    finish_reason: FinishReason
    usage: Usage
    model: str
    kind: Literal["model"] = "model"

    @property
    def text(self) -> str:
        """The text of the reply."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls of the reply, in the model's order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStep:
    """One tool result, recorded as it ended; `filenames`: the session's files, when the call saved any."""

    result: ToolResult
    filenames: tuple[str, ...] | None = None
    kind: Literal["tool"] = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStep:
    """A tool call that needs the user's yes before it runs; the turn pauses behind it.

    `artifacts_sha256` is the hash of the session's files the yes is about; `token` is our signature over
    the call, that hash and the time it ends (shared/approvals.py), made when the question was asked.
    """

    call_id: str
    name: str
    arguments: dict[str, Any] = field(hash=False)
    artifacts_sha256: str
    expires_at: datetime
    token: str
    kind: Literal["approval"] = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionStep:
    """The user's answer to an ApprovalStep of the same call."""

    call_id: str
    approved: bool
    kind: Literal["decision"] = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumedStep:
    """The turn was taken up again here, after its instance died or it was interrupted.

    What a reader saw of a reply that was never recorded belongs to this step's number; the reply that is
    asked for anew has the next.
    """

    kind: Literal["resumed"] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalStep:
    """The end of the turn; `error` and `code` are set when it failed. One taken up again goes on."""

    status: TurnStatus
    finish_reason: FinishReason
    error: str | None = None
    code: str | None = None
    retryable: bool = False
    kind: Literal["final"] = "final"


Step = UserStep | ModelStep | ToolStep | ApprovalStep | DecisionStep | ResumedStep | FinalStep


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What a caller asked for, as recorded with the turn.

    `traceparent` is where in a trace it was asked for: whoever takes the turn up again refers to it.
    """

    message: str
    enable_tools: bool = True
    context: dict[str, Any] = field(default_factory=dict, hash=False)
    model: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn with its steps so far; a step's number is its index. `number` orders the session's turns.

    A waiting turn has no number yet (0) and no steps.
    """

    key: SessionKey
    turn_id: str
    number: int
    request: TurnRequest = field(hash=False)
    prompt_version: str
    status: TurnStatus
    created_at: datetime
    completed_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    step_times: tuple[datetime, ...] = ()

    @property
    def response(self) -> str:
        """Everything the model said to the user in this turn, in order, a blank line between replies."""
        texts = (step.text for step in self.steps if isinstance(step, ModelStep))
        return "\n\n".join(text for text in texts if text)

    @property
    def usage(self) -> Usage:
        """The tokens of all model calls of the turn."""
        return sum((s.usage for s in self.steps if isinstance(s, ModelStep)), Usage())

    @property
    def final(self) -> FinalStep | None:
        """The last step of a turn that has ended."""
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, FinalStep) else None

    @property
    def tool_calls(self) -> tuple[tuple[ToolCall, ToolResult | None], ...]:
        """Each call of the turn with its result, None while it runs or when it was never run."""
        results = {s.result.id: s.result for s in self.steps if isinstance(s, ToolStep)}
        calls = (call for s in self.steps if isinstance(s, ModelStep) for call in s.tool_calls)
        return tuple((call, results.get(call.id)) for call in calls)
