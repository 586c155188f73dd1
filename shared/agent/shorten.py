"""Messages made to fit a number of tokens: long values are cut to their beginning, then old turns left out.

What a model service demands of a history holds all the while: roles alternate, every call is answered, and a
part that is kept keeps its signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.agent.tokens import json_text, tokens_of_message
from shared.messages import Message, Part, TextPart, ToolCall, ToolResult

# Characters of JSON that a value may keep: of earlier turns, of this turn's earlier replies, of the newest.
PAST_VALUE = 1_000
_OLDER_VALUE = 2_000
_NEWEST_VALUES = (8_000, 2_000, 400, 100)
_LEAST_TEXT = 400


def fit_messages(past: Sequence[Message], current: Sequence[Message], room: int) -> tuple[Message, ...]:
    """The messages of earlier turns and of the running one, in at most `room` estimated tokens.

    The user's message of the running turn is never touched, nor is a signed text: where they alone are more
    than the room, they are what remains, with every other part at its shortest.
    """
    draft = _Draft(past, current, room)
    older = range(draft.start, max(draft.start, len(draft.messages) - 2))
    draft.shorten(range(draft.start), PAST_VALUE)
    draft.shorten(older, _OLDER_VALUE)
    draft.drop_past()
    running = range(len(draft.messages))
    for limit in _NEWEST_VALUES:
        draft.shorten(running, limit)
    draft.shorten(running, _NEWEST_VALUES[-1], texts=True)
    return tuple(draft.messages)


def shorten_message(message: Message, limit: int, *, texts: bool = False) -> Message:
    """The message with the values of its calls and results cut to about `limit` characters of JSON each.

    With `texts` the assistant's own words too, to a bounded beginning, where they carry no signature.
    """
    if message.role == "user":
        return message
    parts = tuple(_shorten_part(part, limit, texts) for part in message.parts)
    return message if parts == message.parts else replace(message, parts=parts)


def cut_text(text: str, length: int, remedy: str = "") -> str:
    """The beginning of a text, with a note of how much was left out and what to do about it."""
    left_out = len(text) - length
    if left_out <= len(remedy) + 40:
        return text
    return f"{text[:length]} [… {left_out:,} more characters are left out here{remedy}]"


def shorten_value(value: Any, limit: int, remedy: str) -> Any:
    """The value in about `limit` characters of JSON: its long strings cut, else the beginning of its JSON.

    `remedy` ends each note of what was left out; the value itself comes back when it is short enough.
    """
    whole = json_text(value)
    if len(whole) <= limit:
        return value
    for length in (limit // 2, limit // 4, limit // 8):
        cut = _cut_strings(value, length, remedy)
        if len(json_text(cut)) <= limit:
            return cut
    # Quoting it again may make the text up to twice as long.
    return {"beginning": cut_text(whole, limit // 2, remedy)}


def split_turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Messages by turn: a user's message begins one."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return turns


class _Draft:
    """Messages with their tokens, reduced in place until they fit; nothing happens once they do."""

    def __init__(self, past: Sequence[Message], current: Sequence[Message], room: int) -> None:
        self.messages = [*past, *current]
        self.start = len(past)
        self._costs = [tokens_of_message(message) for message in self.messages]
        self._total = sum(self._costs)
        self._room = room

    def shorten(self, indices: range, limit: int, *, texts: bool = False) -> None:
        """Cuts the values of these messages, the oldest first."""
        for index in indices:
            if self._total <= self._room:
                return
            message = shorten_message(self.messages[index], limit, texts=texts)
            if message is not self.messages[index]:
                self.messages[index] = message
                self._total -= self._costs[index]
                self._costs[index] = tokens_of_message(message)
                self._total += self._costs[index]

    def drop_past(self) -> None:
        """Leaves earlier turns out, the oldest first."""
        turns = split_turns(self.messages[: self.start])
        dropped = 0
        while turns and self._total > self._room:
            size = len(turns.pop(0))
            self._total -= sum(self._costs[dropped : dropped + size])
            dropped += size
        del self.messages[:dropped], self._costs[:dropped]
        self.start -= dropped


def _shorten_part(part: Part, limit: int, texts: bool) -> Part:
    if isinstance(part, ToolCall):
        arguments = shorten_value(part.arguments, limit, "; they were sent whole")
        return part if arguments is part.arguments else replace(part, arguments=arguments)
    if isinstance(part, TextPart):
        if not texts or part.signature is not None:
            return part
        return replace(part, text=cut_text(part.text, _LEAST_TEXT))
    return _shorten_result(part, limit)


def _shorten_result(part: ToolResult, limit: int) -> ToolResult:
    value = shorten_value(part.result, limit, f"; call {part.name} again to read them")
    error = part.error
    if error is not None and len(error.message) > limit:
        error = replace(error, message=cut_text(error.message, limit))
    if value is part.result and error is part.error:
        return part
    return replace(part, result=value, error=error)


def _cut_strings(value: Any, length: int, remedy: str) -> Any:
    if isinstance(value, str):
        return cut_text(value, length, remedy) if len(value) > length else value
    if isinstance(value, dict):
        return {name: _cut_strings(item, length, remedy) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cut_strings(item, length, remedy) for item in value]
    return value
