"""What a turn's record says of its tool calls: which are open, how many were used, what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.approvals import Asked
from shared.messages import ToolCall, ToolFault
from shared.tools.repeating import Repeated
from shared.turn import ApprovalStep, DecisionStep, ModelStep, ResumedStep, ToolStep, Turn

LIMIT = ToolFault(
    code="tool_limit", message="this turn may make no more tool calls; answer with what you have"
)
DENIED = ToolFault(
    code="denied",
    message="the user said no to this call: it was not run; do not ask for it again unless the user does",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's answer to a question, with what was asked."""

    asked: Asked
    approved: bool


def open_calls(turn: Turn) -> tuple[ToolCall, ...]:
    """The calls that the model made and that have no result yet, in its order."""
    return tuple(call for call, result in turn.tool_calls if result is None)


def repeated(turn: Turn, call: ToolCall) -> Repeated | None:
    """Set when an open call may have run before: the turn was taken up again after the reply that made it."""
    made = next(
        number
        for number, step in enumerate(turn.steps)
        if isinstance(step, ModelStep) and call in step.tool_calls
    )
    after = turn.steps[made + 1 :]
    if not any(isinstance(step, ResumedStep) for step in after):
        return None
    results = (step.result for step in after if isinstance(step, ToolStep))
    settled = frozenset(name for result in results for name in result.artifacts)
    return Repeated(since=turn.step_times[made], settled=settled)


def calls_used(turn: Turn) -> int:
    """How many of the turn's tool calls were run or refused by the user."""
    results = (step.result for step in turn.steps if isinstance(step, ToolStep))
    return sum(1 for result in results if result.error != LIMIT)


def asked_of(turn: Turn, step: ApprovalStep) -> Asked:
    """What a recorded question asks, in the form that is signed."""
    return Asked(
        session=turn.key,
        turn_id=turn.turn_id,
        call_id=step.call_id,
        name=step.name,
        arguments=step.arguments,
        artifacts_sha256=step.artifacts_sha256,
        expires_at=step.expires_at,
    )


def open_question(turn: Turn, call_id: str) -> ApprovalStep | None:
    """The newest question about a call, when it has no answer yet."""
    for step in reversed(turn.steps):
        if isinstance(step, DecisionStep) and step.call_id == call_id:
            return None
        if isinstance(step, ApprovalStep) and step.call_id == call_id:
            return step
    return None


def decision_on(turn: Turn, call_id: str, now: datetime) -> Decision | None:
    """What the user decided about a call; None when the question is to be put, or put again."""
    decided: DecisionStep | None = None
    for step in reversed(turn.steps):
        if isinstance(step, DecisionStep) and step.call_id == call_id:
            decided = step
        elif isinstance(step, ApprovalStep) and step.call_id == call_id:
            if decided is None or (decided.approved and now >= step.expires_at):
                return None
            return Decision(asked_of(turn, step), decided.approved)
    return None
