"""The offline planner as a chat model: reads the messages, picks a plan, streams its reply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib import import_module

from shared.errors import InternalError
from shared.ids import NewId, new_id
from shared.messages import Message, TextPart, ToolCall, ToolResult, Usage
from shared.model.offline.reply import deltas
from shared.model.port import ModelChunk, ModelDone, ModelRequest

MODEL_NAME = "offline-planner"
_PLAN = "shared.model.offline.plan"
# English prose and JSON come to about four characters a token with the tokenizers of large language models.
_CHARS_A_TOKEN = 4


class OfflineModel:
    """A ChatModel without a network: the same messages give the same words and the same calls.

    Usage is estimated at four characters a token. The ids of calls are fresh each time, as a session runs
    each id once.
    """

    def __init__(self, *, make_id: NewId = new_id) -> None:
        self._new_id = make_id
        self._closed = False

    async def warm(self) -> None:
        """Loads the planner's patterns, so that the first turn does not wait for them."""
        await asyncio.to_thread(import_module, _PLAN)

    @property
    def name(self) -> str:
        """The model used when a request names none."""
        return MODEL_NAME

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelChunk]:
        """See ChatModel; `request.model` does not matter, there is one planner."""
        if self._closed:
            raise InternalError("the model was closed")
        # A tenth of a second on first use: too long for every cold start.
        from shared.model.offline.plan import next_reply

        reply = next_reply(request)
        for delta in deltas(reply.text):
            yield TextPart(text=delta)
            # Readers of the stream and other turns get their turn between two deltas.
            await asyncio.sleep(0)
        for call in reply.calls:
            yield ToolCall(id=self._new_id(), name=call.name, arguments=call.arguments)
        spoken = len(reply.text) + sum(len(json.dumps(call.arguments)) for call in reply.calls)
        yield ModelDone(
            finish_reason="tool_calls" if reply.calls else "stop",
            usage=Usage(input_tokens=_tokens(_length(request)), output_tokens=_tokens(spoken)),
            model=MODEL_NAME,
        )

    async def close(self) -> None:
        """Ends the use of this model; there is nothing to let go of."""
        self._closed = True


def _tokens(characters: int) -> int:
    return -(-characters // _CHARS_A_TOKEN)


def _length(request: ModelRequest) -> int:
    tools = sum(
        len(tool.name) + len(tool.description) + len(json.dumps(tool.input_schema)) for tool in request.tools
    )
    return len(request.system) + tools + sum(_message_length(message) for message in request.messages)


def _message_length(message: Message) -> int:
    return sum(_part_length(part) for part in message.parts)


def _part_length(part: TextPart | ToolCall | ToolResult) -> int:
    if isinstance(part, TextPart):
        return len(part.text)
    if isinstance(part, ToolCall):
        return len(json.dumps(part.arguments, default=str))
    return len(json.dumps(part.result, default=str)) + (len(part.error.message) if part.error else 0)
