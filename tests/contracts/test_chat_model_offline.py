"""The offline planner keeps the promises of ChatModel."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from shared.errors import InternalError
from shared.messages import TextPart, ToolCall
from shared.model.offline import MODEL_NAME, OfflineModel
from shared.model.port import ChatModel, ModelChunk, ModelDone, ModelRequest
from tests.contracts.gemini_models import request, user
from tests.shared.model.conversations import ALL, spec

BUILD = "Build me an RSI momentum bot for BTC/USDT, buy under 30, sell over 70"


@pytest.fixture
async def model() -> AsyncIterator[OfflineModel]:
    counter = itertools.count()
    model = OfflineModel(make_id=lambda: f"call-{next(counter)}")
    yield model
    await model.close()


def asked(text: str, **changes: object) -> ModelRequest:
    """A request with all tools."""
    return request(user(text), tools=tuple(spec(name) for name in ALL), **changes)


async def chunks(model: ChatModel, question: ModelRequest) -> list[ModelChunk]:
    return [chunk async for chunk in model.stream(question)]


async def test_text_comes_first_then_calls_then_one_end(model: OfflineModel) -> None:
    kinds = [chunk.kind for chunk in await chunks(model, asked(BUILD))]

    assert kinds == sorted(kinds, key=["text", "tool_call", "done"].index)
    assert kinds.count("done") == 1
    assert kinds.count("text") > 10


async def test_a_reply_with_calls_and_one_without_end_differently(model: OfflineModel) -> None:
    ends = [(await chunks(model, asked(text)))[-1] for text in (BUILD, "hello")]

    assert [end.finish_reason for end in ends if isinstance(end, ModelDone)] == ["tool_calls", "stop"]


async def test_it_answers_under_its_own_name_whatever_model_is_asked_for(model: OfflineModel) -> None:
    end = (await chunks(model, asked("hello")))[-1]

    assert isinstance(end, ModelDone)
    assert end.model == model.name == MODEL_NAME == "offline-planner"


async def test_usage_grows_with_what_is_read_and_said(model: OfflineModel) -> None:
    short, long = [
        (await chunks(model, asked(text)))[-1] for text in ("hello", f"{BUILD}. {'please ' * 400}")
    ]

    assert isinstance(short, ModelDone)
    assert isinstance(long, ModelDone)
    assert long.usage.input_tokens - short.usage.input_tokens > 600
    assert long.usage.output_tokens > short.usage.output_tokens > 0


async def test_every_call_has_an_id_of_its_own() -> None:
    model = OfflineModel()

    calls = [
        chunk for _ in range(3) for chunk in await chunks(model, asked(BUILD)) if isinstance(chunk, ToolCall)
    ]

    assert len({call.id for call in calls}) == len(calls) == 6


async def test_the_same_request_gets_the_same_reply() -> None:
    replies = []
    for _ in range(3):
        model = OfflineModel(make_id=map(str, itertools.count()).__next__)
        replies.append(await chunks(model, asked(BUILD)))

    assert replies[0] == replies[1] == replies[2]


async def test_only_tools_of_the_request_are_called(model: OfflineModel) -> None:
    named = {chunk.name for chunk in await chunks(model, asked(BUILD)) if isinstance(chunk, ToolCall)}
    none = await chunks(model, request(user(BUILD), tools=()))
    forbidden = await chunks(model, asked(BUILD, allow_tools=False))

    assert named == {"create_bot_template", "search_documentation"}
    assert not [chunk for chunk in (*none, *forbidden) if isinstance(chunk, ToolCall)]


async def test_other_tasks_run_between_two_deltas(model: OfflineModel) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    deltas = [chunk for chunk in await chunks(model, asked(BUILD)) if isinstance(chunk, TextPart)]
    ticking.cancel()

    assert ticks >= len(deltas)


async def test_a_stream_closed_early_ends(model: OfflineModel) -> None:
    stream = model.stream(asked(BUILD))
    first = await anext(stream)
    assert isinstance(stream, AsyncGenerator)
    await stream.aclose()

    assert isinstance(first, TextPart)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_streams_do_not_disturb_one_another(model: OfflineModel) -> None:
    texts = [BUILD, "hello", "what can you do?", "explain bollinger bands"] * 4

    together = await asyncio.gather(*(chunks(model, asked(text)) for text in texts))
    alone = [await chunks(model, asked(text)) for text in texts]

    def words(reply: list[ModelChunk]) -> str:
        return "".join(chunk.text for chunk in reply if isinstance(chunk, TextPart))

    assert list(map(words, together)) == list(map(words, alone))


async def test_it_can_be_warmed_and_not_used_after_close() -> None:
    model = OfflineModel()
    await model.warm()
    await model.close()
    await model.close()

    with pytest.raises(InternalError):
        await chunks(model, asked("hello"))
