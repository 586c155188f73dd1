"""GeminiModel under limits: how long a reply may be, how often it is asked for, what it has used so far."""

from __future__ import annotations

import pytest

from shared.errors import ModelKeyRefusedError, ModelRefusedError, ModelUnavailableError
from shared.messages import Usage
from shared.model.port import Tally
from tests.contracts.gemini_models import Pauses, closable, gemini_model, read, request
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, finish, reply, status, thought


async def test_a_replys_length_is_the_requests_else_the_models(gemini: GeminiServer) -> None:
    model = gemini_model(gemini.url, max_output_tokens=5000)
    gemini.script(reply("ok"), finish("MAX_TOKENS", "cut"))
    await read(model.stream(request()))
    _, done = await read(model.stream(request(max_output_tokens=256)))
    await model.close()
    sent = [asked.body["generationConfig"] for asked in gemini.requests]
    assert sent == [{"maxOutputTokens": 5000}, {"maxOutputTokens": 256}]
    assert done.finish_reason == "max_tokens"


async def test_without_a_length_none_is_sent(gemini: GeminiServer) -> None:
    model = gemini_model(gemini.url)
    gemini.script(reply("ok"))
    await read(model.stream(request()))
    await model.close()
    assert "maxOutputTokens" not in gemini.requests[0].body.get("generationConfig", {})


@pytest.mark.parametrize(("most", "asked"), [(1, 1), (2, 2), (9, 4), (None, 4)])
async def test_a_call_is_sent_as_often_as_it_may_be(
    most: int | None, asked: int, gemini: GeminiServer
) -> None:
    pauses = Pauses()
    model = gemini_model(gemini.url, sleep=pauses)
    gemini.always(status(503))
    with pytest.raises(ModelUnavailableError):
        await read(model.stream(request(max_attempts=most)))
    await model.close()
    assert len(gemini.requests) == asked
    assert len(pauses.taken) == asked - 1


async def test_the_tally_follows_the_reply(gemini: GeminiServer) -> None:
    model = gemini_model(gemini.url)
    gate, tally = Gate(), Tally()
    gemini.script(reply(thought("hm"), "one", gate, "two", usage=(10, 5, 2)))
    stream = closable(model.stream(request(tally=tally)))
    assert tally.usage is None
    await anext(stream)
    assert tally.usage == Usage(input_tokens=10, output_tokens=1)
    gate.open()
    async for _ in stream:
        pass
    await model.close()
    assert tally.usage == Usage(input_tokens=10, output_tokens=7)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(401), ModelKeyRefusedError),
        (status(403), ModelKeyRefusedError),
        (status(400, reason="API_KEY_INVALID"), ModelKeyRefusedError),
        (status(400), ModelRefusedError),
        (status(404), ModelRefusedError),
    ],
)
async def test_a_refused_key_is_told_apart(
    answer: object, kind: type[ModelRefusedError], gemini: GeminiServer
) -> None:
    model = gemini_model(gemini.url)
    gemini.script(answer)  # type: ignore[arg-type]  # each is an Answer
    with pytest.raises(ModelRefusedError) as caught:
        await read(model.stream(request()))
    await model.close()
    assert type(caught.value) is kind
    assert caught.value.code == "model_refused"
