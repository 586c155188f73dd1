"""GeminiModel's streams in time: deadlines, closing, cancelling, and many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import InternalError, ModelTimeoutError
from shared.messages import TextPart
from shared.model.gemini import GeminiModel
from tests.contracts.gemini_models import Pauses, closable, failure, gemini_model, read, request
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Answer, Gate, blocked, hang, reply, status, thought


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def model(gemini: GeminiServer, pauses: Pauses) -> AsyncIterator[GeminiModel]:
    model = gemini_model(gemini.url, sleep=pauses)
    yield model
    await model.close()


@pytest.mark.parametrize("silent", [hang(), hang(thought("hm")), hang("Once ")])
async def test_the_deadline_holds_for_the_whole_call(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses, silent: Answer
) -> None:
    await model.warm()
    gemini.script(silent)

    error = await failure(model, timeout=0.2)
    await gemini.until(lambda server: server.open_streams == 0)

    assert isinstance(error, ModelTimeoutError)
    assert error.message == "The model did not answer in time."
    assert pauses.taken == []


async def test_a_slow_reader_is_not_interrupted_by_the_deadline(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    await model.warm()
    gemini.script(hang("Once "))
    stream = model.stream(request(timeout=0.1))

    assert await anext(stream) == TextPart(text="Once ")
    # The reader is busy with something else when the time is over.
    await asyncio.sleep(0.15)
    with pytest.raises(ModelTimeoutError):
        await anext(stream)


async def test_a_chunk_is_handed_out_before_the_next_is_sent(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gate = Gate()
    gemini.script(reply("first", gate, "second"))
    stream = model.stream(request())

    async with asyncio.timeout(10):
        assert await anext(stream) == TextPart(text="first")
        gate.open()
        assert await anext(stream) == TextPart(text="second")
    await closable(stream).aclose()


async def test_closing_early_ends_the_request_at_the_server(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(hang("Once "))
    stream = closable(model.stream(request()))

    assert await anext(stream) == TextPart(text="Once ")
    assert gemini.open_streams == 1
    await stream.aclose()
    await gemini.until(lambda server: server.open_streams == 0 and server.connections == 0)


async def test_cancelling_the_reader_ends_the_request_at_the_server(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gemini.script(hang("Once "))
    reader = asyncio.create_task(read(model.stream(request())))

    await gemini.until(lambda server: server.open_streams == 1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await gemini.until(lambda server: server.open_streams == 0 and server.connections == 0)


async def test_three_hundred_streams_at_once_and_no_connection_left(gemini: GeminiServer) -> None:
    gate = Gate()
    gemini.always(reply("one ", gate, "two"))
    model = gemini_model(gemini.url)

    async with asyncio.timeout(50), asyncio.TaskGroup() as group:
        readers = [group.create_task(read(model.stream(request(timeout=50)))) for _ in range(300)]
        await gemini.until(lambda server: server.open_streams == 300)
        gate.open()

    assert gemini.most_open_streams == 300
    assert all(reader.result()[0] == [TextPart(text="one "), TextPart(text="two")] for reader in readers)
    await model.close()
    await gemini.until(lambda server: server.connections == 0)


async def test_calls_after_one_another_share_a_connection(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply("a"), blocked(), status(400), reply("b"))

    await read(model.stream(request()))
    await read(model.stream(request()))
    await failure(model)
    await read(model.stream(request()))

    assert gemini.connections == 1


async def test_a_closed_model_cannot_be_used(gemini: GeminiServer) -> None:
    model = gemini_model(gemini.url)
    gemini.script(reply("ok"))
    await read(model.stream(request()))

    await model.close()
    await model.close()

    with pytest.raises(InternalError):
        await read(model.stream(request()))
