"""What the tests of the Gemini adapter share: a model on the test server, requests, and reading a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from shared.errors import AppError
from shared.messages import Message, TextPart, ToolCall, ToolResult, ToolSpec
from shared.model.gemini import GeminiModel
from shared.model.port import ModelChunk, ModelDone, ModelRequest
from tests.servers.gemini import API_KEY

MODEL = "gemini-2.5-flash"

SAVE = ToolSpec(
    name="save_artifact",
    description="Saves a file.",
    input_schema={
        "type": "object",
        "properties": {
            "filename": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["filename"],
        "additionalProperties": False,
    },
    output_schema={"type": "object"},
)
LIST = ToolSpec(
    name="list_artifacts",
    description="Lists the files.",
    input_schema={"type": "object", "properties": {}},
    output_schema={"type": "array"},
)


class Pauses:
    """Stands for `asyncio.sleep`: notes the seconds and returns at once."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def gemini_model(url: str, **changes: Any) -> GeminiModel:
    """A model on the server at `url`."""
    options: dict[str, Any] = {"api_key": API_KEY, "model": MODEL, "base_url": url, "chance": lambda: 1.0}
    return GeminiModel(**{**options, **changes})


def user(text: str) -> Message:
    """What the user said."""
    return Message(role="user", parts=(TextPart(text=text),))


def assistant(*parts: TextPart | ToolCall) -> Message:
    """What the model said."""
    return Message(role="assistant", parts=parts)


def results(*parts: ToolResult) -> Message:
    """What the tools answered."""
    return Message(role="tool", parts=parts)


def ok(call: ToolCall, result: Any) -> ToolResult:
    """A good answer to a call."""
    return ToolResult(id=call.id, name=call.name, status="ok", result=result)


def request(*messages: Message, **changes: Any) -> ModelRequest:
    """A request with this history, by default one question."""
    options: dict[str, Any] = {"model": MODEL, "system": "Be brief.", "timeout": 20.0}
    return ModelRequest(messages=messages or (user("Hi"),), **{**options, **changes})


async def read(stream: AsyncIterator[ModelChunk]) -> tuple[list[TextPart | ToolCall], ModelDone]:
    """The parts of a whole stream, and its end."""
    parts: list[TextPart | ToolCall] = []
    done: ModelDone | None = None
    async for chunk in stream:
        assert done is None, "something came after ModelDone"
        if isinstance(chunk, ModelDone):
            done = chunk
        else:
            parts.append(chunk)
    assert done is not None, "the stream ended without ModelDone"
    return parts, done


async def failure(model: GeminiModel, timeout: float = 20.0) -> AppError:
    """The error with which a request fails before its first chunk."""
    with pytest.raises(AppError) as caught:
        await read(model.stream(request(timeout=timeout)))
    return caught.value


def closable(stream: AsyncIterator[ModelChunk]) -> AsyncGenerator[ModelChunk]:
    """The stream as what it is, an async generator, so that a test can close it."""
    assert isinstance(stream, AsyncGenerator)
    return stream
