"""What one model call can cost at most, and what it has cost as far as can be known."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from shared.errors import AppError, ModelRefusedError, ModelTimeoutError, ModelUnavailableError
from shared.messages import Message, Part, TextPart, ToolCall, ToolSpec, Usage
from shared.model.port import ModelChunk, ModelDone, ModelRequest, Tally

# Role, names, braces and marks that an adapter puts around a message, a part or a tool.
_FRAME_BYTES = 160


def most_usage(request: ModelRequest, max_output_tokens: int) -> Usage:
    """The most tokens that the request can use: no tokenizer makes more tokens than there are bytes."""
    asked = _bytes(request.system) + _tool_bytes(request.tools) + sum(map(_message_bytes, request.messages))
    return Usage(input_tokens=_FRAME_BYTES + asked, output_tokens=max_output_tokens)


class RunningCall:
    """Follows one call: what is told of its usage, what is handed out of it, how it ended."""

    def __init__(self, most: Usage) -> None:
        self.most = most
        self._tally = Tally()
        self._begun = False
        self._done: ModelDone | None = None
        self._failure: AppError | None = None
        self._last_told: Usage | None = None
        self._untold_bytes = 0

    def begin(self, request: ModelRequest) -> ModelRequest:
        """The request to send: its usage is told to this."""
        self._begun = True
        # The caller's own tally, where there is one, is filled in as well.
        self._tally = request.tally or self._tally
        return replace(request, tally=self._tally)

    def saw(self, chunk: ModelChunk) -> None:
        """Takes note of a chunk before it is handed on."""
        if isinstance(chunk, ModelDone):
            self._done = chunk
            return
        if self._told is not self._last_told:
            # The counts include the chunk they came with.
            self._last_told = self._told
            self._untold_bytes = 0
        else:
            self._untold_bytes += _spoken_bytes(chunk)

    def failed(self, failure: AppError) -> None:
        """Takes note of how the call failed."""
        self._failure = failure

    @property
    def used(self) -> Usage:
        """What counts as used.

        A call that ended used what its end says. Of one that broke off, what the service told last, and
        what was handed out after that at a byte a token; nothing when the service refused it before its
        first chunk or could not be reached. Where nothing at all is known, as it was given up while the
        model was thinking, the most it can have used: else a user could think for free.
        """
        if self._done is not None and self._done.usage.input_tokens:
            return self._done.usage
        if not self._begun:
            return Usage()
        told = self._told
        if told is None and not self._untold_bytes:
            return Usage() if self._was_refused else self.most
        if told is None:
            told = Usage(input_tokens=self.most.input_tokens)
        untold = min(self._untold_bytes, max(0, self.most.output_tokens - told.output_tokens))
        return told + Usage(output_tokens=untold)

    @property
    def _told(self) -> Usage | None:
        """The counts so far; each call asks something, so that zeros are none."""
        usage = self._tally.usage
        return usage if usage is not None and usage.input_tokens else None

    @property
    def _was_refused(self) -> bool:
        """Whether the service itself ended the call, or never had it: then it takes no money for it."""
        if isinstance(self._failure, ModelTimeoutError):
            return "status" in self._failure.details
        return isinstance(self._failure, ModelUnavailableError | ModelRefusedError)


@lru_cache(maxsize=16)
def _tool_bytes(tools: tuple[ToolSpec, ...]) -> int:
    return sum(
        _FRAME_BYTES + _bytes(tool.name) + _bytes(tool.description) + _json_bytes(tool.input_schema)
        for tool in tools
    )


def _message_bytes(message: Message) -> int:
    return _FRAME_BYTES + sum(map(_part_bytes, message.parts))


def _part_bytes(part: Part) -> int:
    if isinstance(part, TextPart):
        return _FRAME_BYTES + _bytes(part.text) + len(part.signature or "")
    size = _FRAME_BYTES + _bytes(part.id) + _bytes(part.name)
    if isinstance(part, ToolCall):
        return size + _json_bytes(part.arguments) + len(part.signature or "")
    fault = part.error
    return size + _quoted_bytes(part.result) + (_bytes(fault.code) + _bytes(fault.message) if fault else 0)


def _spoken_bytes(chunk: TextPart | ToolCall) -> int:
    if isinstance(chunk, TextPart):
        return _bytes(chunk.text)
    return _bytes(chunk.name) + _json_bytes(chunk.arguments)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _quoted_bytes(value: Any) -> int:
    """The longest form of a JSON value inside a JSON string, where text from outside is fenced."""
    text = json.dumps(value, default=str)
    return len(text) + text.count('"') + text.count("\\")


def _json_bytes(value: Any) -> int:
    """The longest form of a JSON value: with every other script escaped, as some services write it."""
    return len(json.dumps(value, default=str))
