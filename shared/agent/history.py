"""What a model sees of a session: messages derived from the recorded turns.

A record that a crash, a cancel or an error left open is closed here, the same way each time: a tool call
without a result gets an error result, a turn without an answer gets a note in the assistant's place, so
that roles alternate and every call is answered, as model services demand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.messages import Message, TextPart, ToolCall, ToolFault, ToolResult
from shared.turn import FinalStep, ModelStep, ToolStep, Turn, TurnRequest

_LOST = ToolFault(
    code="interrupted", message="the turn ended before this tool had a result; it may not have run"
)


def user_message(request: TurnRequest) -> Message:
    """The user's words as a message."""
    return Message(role="user", parts=(TextPart(text=request.message),))


def turn_messages(turn: Turn) -> Iterator[Message]:
    """The messages of one turn so far: the user's, then replies, each followed by its tools' results."""
    yield user_message(turn.request)
    results = {s.result.id: s.result for s in turn.steps if isinstance(s, ToolStep)}
    said: tuple[TextPart | ToolCall, ...] = ()
    for step in turn.steps:
        if not isinstance(step, ModelStep) or not step.parts:
            continue
        # Replies with nothing between them (a second try) are one message: roles must alternate.
        said += step.parts
        if step.tool_calls:
            yield Message(role="assistant", parts=said)
            yield Message(role="tool", parts=tuple(_answer(call, results) for call in step.tool_calls))
            said = ()
    if said:
        yield Message(role="assistant", parts=said)


def past_messages(turns: Iterable[Turn]) -> list[Message]:
    """The messages of ended turns, oldest first, each turn closed by an assistant message."""
    messages: list[Message] = []
    for turn in turns:
        messages.extend(turn_messages(turn))
        if messages[-1].role != "assistant" or messages[-1].tool_calls:
            messages.append(Message(role="assistant", parts=(TextPart(text=_ending(turn.final)),)))
    return messages


def _answer(call: ToolCall, results: dict[str, ToolResult]) -> ToolResult:
    return results.get(call.id) or ToolResult(id=call.id, name=call.name, status="error", error=_LOST)


def _ending(final: FinalStep | None) -> str:
    if final is None:
        return "[This turn was interrupted before it was answered.]"
    if final.status == "cancelled":
        return "[The user cancelled this turn.]"
    return f"[This turn ended without an answer: {final.error or final.finish_reason}]"
