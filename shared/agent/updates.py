"""What a stream tells its reader, derived from a turn's steps; and the ids by which it is taken up again.

An id is `<step>.<offset>`: the step's number, and inside a model's reply the length of the text so far,
then one more for each tool call. Ids grow along the stream and follow from the record alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from shared.errors import InvalidRequestError
from shared.messages import FinishReason, ToolCall, ToolResult, Usage
from shared.turn import ApprovalStep, FinalStep, ModelStep, Step, ToolStep, Turn, UserStep


class Position(NamedTuple):
    """A place in a turn's stream; compares in stream order."""

    step: int
    offset: int

    def __str__(self) -> str:
        return f"{self.step}.{self.offset}"


START = Position(0, -1)
_LAST_OFFSET = 999_999_999


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """Always first."""

    at: Position
    turn_id: str
    type: Literal["session"] = "session"


@dataclass(frozen=True, slots=True)
class ContentUpdate:
    """A stretch of the model's text."""

    at: Position
    content: str
    type: Literal["content"] = "content"


@dataclass(frozen=True, slots=True)
class ToolCallUpdate:
    """A tool is about to run."""

    at: Position
    call: ToolCall
    type: Literal["tool_call"] = "tool_call"


@dataclass(frozen=True, slots=True)
class ToolResultUpdate:
    """A tool has ended."""

    at: Position
    result: ToolResult
    type: Literal["tool_result"] = "tool_result"


@dataclass(frozen=True, slots=True)
class ArtifactsUpdate:
    """The session's files, as a tool changed them."""

    at: Position
    filenames: tuple[str, ...]
    type: Literal["artifacts"] = "artifacts"


@dataclass(frozen=True, slots=True)
class ApprovalUpdate:
    """A tool call waits for the user's yes until `expires_at`."""

    at: Position
    call_id: str
    name: str
    arguments: dict[str, Any]
    expires_at: datetime
    type: Literal["approval_required"] = "approval_required"


@dataclass(frozen=True, slots=True)
class CompleteUpdate:
    """The turn has ended well."""

    at: Position
    turn_id: str
    usage: Usage
    finish_reason: FinishReason
    type: Literal["complete"] = "complete"


@dataclass(frozen=True, slots=True)
class ErrorUpdate:
    """The turn has ended with an error."""

    at: Position
    error: str
    code: str
    retryable: bool
    type: Literal["error"] = "error"


Update = (
    SessionUpdate
    | ContentUpdate
    | ToolCallUpdate
    | ToolResultUpdate
    | ArtifactsUpdate
    | ApprovalUpdate
    | CompleteUpdate
    | ErrorUpdate
)


def parse_position(text: str) -> Position:
    """The position a `Last-Event-ID` names; raises InvalidRequestError when it is none of ours."""
    step, dot, offset = text.partition(".")
    if not (dot and step.isascii() and step.isdigit() and offset.isascii() and offset.isdigit()):
        raise InvalidRequestError("Last-Event-ID must be an id that this stream has sent")
    return Position(int(step[:9]), int(offset[:9]))


def calls_of(number: int, step: ModelStep) -> Iterator[ToolCallUpdate]:
    """The tool call updates of a recorded model reply."""
    for index, call in enumerate(step.tool_calls, start=len(step.text) + 1):
        yield ToolCallUpdate(Position(number, index), call)


def results_of(number: int, step: ToolStep) -> Iterator[ToolResultUpdate | ArtifactsUpdate]:
    """The updates of a recorded tool result."""
    yield ToolResultUpdate(Position(number, 0), step.result)
    if step.filenames is not None:
        yield ArtifactsUpdate(Position(number, 1), step.filenames)


def question_of(number: int, step: ApprovalStep) -> ApprovalUpdate:
    """The update of a recorded question to the user."""
    return ApprovalUpdate(Position(number, 0), step.call_id, step.name, step.arguments, step.expires_at)


def end_of(number: int, step: FinalStep, turn: Turn) -> CompleteUpdate | ErrorUpdate:
    """The last update of a turn."""
    at = Position(number, 0)
    if step.error is None:
        return CompleteUpdate(at, turn.turn_id, turn.usage, step.finish_reason)
    return ErrorUpdate(at, step.error, step.code or "internal_error", step.retryable)


def separator(turn: Turn, number: int) -> str:
    """What stands before the text of reply `number`: a blank line when an earlier reply said something.

    It belongs to the stream, not to the text: offsets do not count it.
    """
    said = any(isinstance(step, ModelStep) and step.text for step in turn.steps[:number])
    return "\n\n" if said else ""


def replay(turn: Turn, after: Position = START) -> Iterator[Update]:
    """What the turn's record says after a position; text that was partly sent goes on where it stopped."""
    for number, step in enumerate(turn.steps):
        for update in _of_step(number, step, turn, after):
            if update.at > after:
                yield update


def _of_step(number: int, step: Step, turn: Turn, after: Position) -> Iterator[Update]:
    if isinstance(step, UserStep):
        yield SessionUpdate(Position(number, 0), turn.turn_id)
    elif isinstance(step, ModelStep):
        text = step.text
        sent = min(after.offset, len(text)) if after.step == number else 0
        if len(text) > sent:
            lead = "" if sent else separator(turn, number)
            yield ContentUpdate(Position(number, len(text)), lead + text[sent:])
        yield from calls_of(number, step)
    elif isinstance(step, ToolStep):
        yield from results_of(number, step)
    elif isinstance(step, ApprovalStep):
        yield question_of(number, step)
    # An end that the turn went on after is nobody's end any more.
    elif isinstance(step, FinalStep) and number == len(turn.steps) - 1:
        yield end_of(number, step, turn)


def unrecorded_end(turn: Turn) -> ErrorUpdate | None:
    """The last update of a turn that was stopped from outside, whose record has no end of its own."""
    if turn.status not in ("interrupted", "cancelled") or turn.final is not None:
        return None
    by_user = turn.status == "cancelled"
    words = "the turn was cancelled" if by_user else "the turn was interrupted"
    return ErrorUpdate(unrecorded_at(len(turn.steps)), words, turn.status, not by_user)


def unrecorded_at(number: int) -> Position:
    """The place of an end that the record lacks: after all that was said of step `number`, which never came.

    A turn that is taken up again records that under this number, and goes on with the next.
    """
    return Position(number, _LAST_OFFSET)
