"""What the turn engine asks of a chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.messages import FinishReason, Message, TextPart, ToolCall, ToolSpec, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model: everything it sees.

    `messages` alternates as recorded: every tool call of an assistant message is answered in the tool
    message that follows it. `allow_tools` False makes the model answer in words, though the history may
    hold tool calls (tools stay declared). `timeout` is seconds for the whole call.
    """

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    allow_tools: bool = True
    timeout: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDone:
    """The last item of a stream: why it ended, what it cost, which model really answered."""

    finish_reason: FinishReason
    usage: Usage
    model: str
    kind: Literal["done"] = "done"


ModelChunk = TextPart | ToolCall | ModelDone


class ChatModel(Protocol):
    """A model that streams its reply."""

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        ...

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """The reply as it comes: text deltas and tool calls in the model's order, then one ModelDone.

        A reply stopped by safety filters, by length or by a malformed tool call is an outcome in
        ModelDone, not an error. Closing the iterator early ends the call.

        Raises:
            ModelUnavailableError: refused, limited or broken, after retries before the first chunk.
            ModelTimeoutError: nothing in time.
            ModelRefusedError: the service will not take this request (key, model name).
        """
        ...

    async def close(self) -> None:
        """Lets go of connections; the model cannot be used afterwards."""
        ...
