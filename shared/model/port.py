"""What the turn engine asks of a chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.messages import FinishReason, Message, TextPart, ToolCall, ToolSpec, Usage


@dataclass(slots=True)
class Tally:
    """What the service has told of a running call's usage, for a caller who may have to break it off.

    None: nothing yet. The counts are of the whole reply up to what was handed out last.
    """

    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One call of a model: everything it sees.

    `messages` alternates as recorded: every tool call of an assistant message is answered in the tool
    message that follows it. `allow_tools` False makes the model answer in words, though the history may
    hold tool calls (tools stay declared). `timeout` is seconds for the whole call. `max_output_tokens` bounds
    the reply with the model's thoughts, `max_attempts` how often the call may be sent in all (None: as the
    adapter sees fit). `tally` is filled in while the reply comes, where the service tells counts.
    """

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    allow_tools: bool = True
    timeout: float = 120.0
    max_output_tokens: int | None = None
    max_attempts: int | None = None
    tally: Tally | None = field(default=None, compare=False, repr=False)


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


class ModelSource(Protocol):
    """Gives each user's turns their model."""

    async def for_user(self, user_id: str) -> ChatModel:
        """The model for a turn of this user; it is the source's, and is not to be closed.

        Raises:
            StoreUnavailableError: whose key pays cannot be known now.
        """
        ...
