"""GeminiModel when things go wrong: retries, errors, deadlines, cut and closed streams, many at once."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.errors import ModelRefusedError, ModelUnavailableError
from shared.messages import TextPart
from shared.model.gemini import GeminiModel
from shared.model.retry import RetryPolicy
from tests.contracts.gemini_models import Pauses, failure, gemini_model, read, request
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import (
    Answer,
    cut_after,
    error_after,
    page,
    reply,
    status,
    thought,
)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def model(gemini: GeminiServer, pauses: Pauses) -> AsyncIterator[GeminiModel]:
    model = gemini_model(gemini.url, sleep=pauses)
    yield model
    await model.close()


@pytest.mark.parametrize(
    "broken",
    [
        status(429),
        status(500),
        status(502),
        status(503),
        status(504),
        page(502),
        cut_after(0),
        cut_after(1, thought("hm")),
        reply(finish=None),
        reply(thought("hm"), finish=None),
        error_after(503),
        error_after(500, thought("hm")),
    ],
)
async def test_what_fails_before_the_first_chunk_is_tried_again(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses, broken: Answer
) -> None:
    gemini.script(broken, broken, reply("at last"))

    parts, done = await read(model.stream(request()))

    assert parts == [TextPart(text="at last")]
    assert done.finish_reason == "stop"
    assert pauses.taken == [0.5, 1.0]


async def test_after_the_last_attempt_the_error_says_what_was_wrong(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses
) -> None:
    gemini.script(*[status(503)] * 4)

    error = await failure(model)

    assert isinstance(error, ModelUnavailableError)
    assert error.message == "The model's service failed (UNAVAILABLE)."
    assert error.details == {"model": "gemini-2.5-flash", "status": 503}
    assert error.retryable
    assert pauses.taken == [0.5, 1.0, 2.0]


def test_pauses_grow_to_a_limit_and_are_jittered_in_full() -> None:
    policy = RetryPolicy()

    assert [policy.pause(attempt=n, hint=None, chance=1.0) for n in (1, 2, 5, 9)] == [0.5, 1.0, 8.0, 8.0]
    assert policy.pause(attempt=3, hint=None, chance=0.0) == 0.0
    assert policy.pause(attempt=3, hint=7.0, chance=0.5) == 7.25


@pytest.mark.parametrize(
    ("limited", "pause"),
    [
        (status(429, retry_delay="2.5s"), 3.0),
        (status(503, retry_after="3"), 3.5),
        (status(429, retry_delay="1s", retry_after="9"), 1.5),
        (status(429, retry_after="soon"), 0.5),
        (error_after(429, retry_delay="4s"), 4.5),
    ],
)
async def test_the_pause_is_what_the_service_asks_for(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses, limited: Answer, pause: float
) -> None:
    gemini.script(limited, reply("ok"))

    await read(model.stream(request()))

    assert pauses.taken == [pause]


async def test_a_date_in_retry_after_is_understood(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses
) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    gemini.script(status(503, retry_after=moment), reply("ok"))

    await read(model.stream(request()))

    assert 5.0 < pauses.taken[0] <= 10.5


async def test_a_pause_longer_than_the_time_left_is_handed_to_the_caller(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses
) -> None:
    gemini.script(status(429, retry_delay="34s"))

    error = await failure(model)

    assert isinstance(error, ModelUnavailableError)
    assert error.retry_after == 34.0
    assert error.details["status"] == 429
    assert pauses.taken == []


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (
            status(400, reason="API_KEY_INVALID", message=f"API key not valid: {API_KEY}"),
            "The model's service does not accept our key (INVALID_ARGUMENT).",
        ),
        (status(401), "The model's service does not accept our key (UNAUTHENTICATED)."),
        (status(403), "The model's service denies us access (PERMISSION_DENIED)."),
        (status(404), "The model's service has no model gemini-2.5-flash (NOT_FOUND)."),
        (status(400), "The model's service does not take this request (INVALID_ARGUMENT)."),
        (page(413), "The model's service does not take this request."),
    ],
)
async def test_a_refusal_is_final_and_says_why(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses, refusal: Answer, message: str
) -> None:
    gemini.script(refusal)

    error = await failure(model)

    assert isinstance(error, ModelRefusedError)
    assert error.message == message
    assert pauses.taken == []


async def test_the_key_is_in_no_message_and_no_log(
    gemini: GeminiServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    model = gemini_model(gemini.url, api_key="another-secret-key")

    error = await failure(model)
    logging.getLogger("test").error("refused", exc_info=error)
    await model.close()

    assert error.message == "The model's service does not accept our key (INVALID_ARGUMENT)."
    assert "Traceback" in caplog.text
    assert "another-secret-key" not in caplog.text


async def test_a_service_that_is_not_there_is_unavailable(pauses: Pauses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    model = gemini_model(url, sleep=pauses)

    error = await failure(model)
    await model.close()

    assert isinstance(error, ModelUnavailableError)
    assert error.message == "The connection to the model's service failed."
    assert pauses.taken == [0.5, 1.0, 2.0]


async def test_attempts_are_ours_alone_and_not_multiplied_by_the_sdk(pauses: Pauses) -> None:
    connections = 0

    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    async with await asyncio.start_server(drop, "127.0.0.1", 0) as server:
        model = gemini_model(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", sleep=pauses)
        error = await failure(model)
        await model.close()

    assert isinstance(error, ModelUnavailableError)
    assert connections == 4


@pytest.mark.parametrize(
    "broken", [cut_after(1, "Once upon "), error_after(503, "Once upon "), reply("Once upon ", finish=None)]
)
async def test_what_breaks_after_text_is_not_tried_again(
    gemini: GeminiServer, model: GeminiModel, pauses: Pauses, broken: Answer
) -> None:
    gemini.script(broken)
    stream = model.stream(request())

    assert await anext(stream) == TextPart(text="Once upon ")
    with pytest.raises(ModelUnavailableError) as caught:
        await anext(stream)
    assert caught.value.retryable
    assert pauses.taken == []


async def test_an_answer_that_is_no_json_is_unavailable(gemini: GeminiServer, model: GeminiModel) -> None:
    garbled = Answer(steps=(b"data: {not json\r\n\r\n",))
    misshapen = Answer(steps=(b'data: {"candidates": "none"}\r\n\r\n',))
    gemini.script(garbled, misshapen, garbled, Answer(status=500, body=b"{oops"))

    error = await failure(model)

    assert isinstance(error, ModelUnavailableError)
    assert error.message == "The model's service sent an answer that cannot be read."
