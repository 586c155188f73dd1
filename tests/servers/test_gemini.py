"""The Gemini test server: it refuses what the real service refuses, and holds a test to its script."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import Any

import httpx
import pytest

from tests.servers.gemini import API_KEY, GeminiServer, gemini_server
from tests.servers.gemini_answers import call, reply, status, text
from tests.servers.gemini_protocol import ProtocolError, Signatures, check_request

PATH = "/v1beta/models/gemini-2.5-flash"

ASKED = {"role": "user", "parts": [{"text": "Hi"}]}
SAID = {"role": "model", "parts": [{"text": "Hello"}]}
CALLED = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
ANSWERED = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
DECLARED = {"functionDeclarations": [{"name": "f"}, {"name": "f"}]}


def ask(
    url: str, *, method: str = "generateContent", key: str | None = API_KEY, **body: Any
) -> httpx.Response:
    headers = {} if key is None else {"x-goog-api-key": key}
    with httpx.Client(trust_env=False) as client:
        return client.post(f"{url}{PATH}:{method}", headers=headers, json={"contents": [ASKED], **body})


@pytest.mark.parametrize(
    "body",
    [
        {"contents": [ASKED]},
        {"contents": [ASKED, SAID, ASKED]},
        {"contents": [ASKED, CALLED, ANSWERED]},
        {"contents": [ASKED, CALLED, ANSWERED, ASKED], "tools": [{"functionDeclarations": [{"name": "f"}]}]},
    ],
)
def test_a_right_request_passes(body: dict[str, Any]) -> None:
    check_request(body, Signatures())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"contents": []}, "contents is not specified"),
        ({"contents": [ASKED], "system": "x"}, 'Unknown name "system"'),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "parts must not be empty"),
        ({"contents": [{"role": "user", "parts": [{"text": ""}]}]}, "must have a text parameter"),
        ({"contents": [{"role": "user", "parts": [{"thought": True}]}]}, "oneof field 'data'"),
        ({"contents": [{"role": "user", "parts": [{"text": "x", "extra": 1}]}]}, 'Unknown name "extra"'),
        ({"contents": [ASKED, ASKED]}, "alternate"),
        ({"contents": [ASKED, SAID]}, "end with a user role"),
        ({"contents": [SAID, ASKED]}, "start and end with a user role"),
        ({"contents": [ASKED, CALLED, ASKED]}, "number of function response parts"),
        ({"contents": [ASKED, SAID, ANSWERED]}, "number of function response parts"),
        (
            {"contents": [ASKED, CALLED, {"role": "user", "parts": [*ANSWERED["parts"], {"text": "x"}]}]},
            "only function responses",
        ),
        ({"contents": [ASKED], "tools": [DECLARED]}, "Duplicate function declaration"),
        ({"contents": [ASKED], "toolConfig": {"functionCallingConfig": {"mode": "OFF"}}}, "Invalid value"),
        ({"contents": [ASKED], "safetySettings": [{"category": "RUDENESS"}]}, "safety_settings"),
    ],
)
def test_a_wrong_request_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        check_request(body, Signatures())


def test_an_answer_to_another_call_is_refused() -> None:
    called = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}, "id": "1"}}]}

    with pytest.raises(ProtocolError, match="does not match"):
        check_request({"contents": [ASKED, called, ANSWERED]}, Signatures())


def test_a_signature_belongs_to_its_part() -> None:
    signatures = Signatures()
    given = call("f", {"a": 1}, signature=b"s")
    signatures.give(given)

    signatures.check(given)
    with pytest.raises(ProtocolError, match="missing a thought_signature"):
        signatures.check(call("f", {"a": 1}))
    with pytest.raises(ProtocolError, match="not valid"):
        signatures.check(call("f", {"a": 2}, signature=b"s"))
    with pytest.raises(ProtocolError, match="not valid"):
        signatures.check(text("moved", signature=b"s"))


def test_a_request_needs_a_key_that_holds(gemini: GeminiServer) -> None:
    missing, wrong = ask(gemini.url, key=None), ask(gemini.url, key="wrong")

    assert (missing.status_code, missing.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert wrong.status_code == 400
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_credentials_are_not_kept(gemini: GeminiServer) -> None:
    gemini.script(reply("ok"))

    ask(gemini.url)

    assert "content-type" in gemini.requests[0].headers
    assert "x-goog-api-key" not in gemini.requests[0].headers


def test_generate_content_gives_the_chunks_as_one(gemini: GeminiServer) -> None:
    gemini.script(reply("a", "b", usage=(3, 2, 1)))

    whole = ask(gemini.url).json()

    assert [part["text"] for part in whole["candidates"][0]["content"]["parts"]] == ["a", "b"]
    assert whole["usageMetadata"]["totalTokenCount"] == 6


def test_a_stream_is_server_sent_events(gemini: GeminiServer) -> None:
    gemini.script(reply("a", "b"))

    answer = ask(gemini.url, method="streamGenerateContent")

    chunks = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\r\n\r\n") if line]
    assert answer.headers["content-type"] == "text/event-stream"
    assert ["finishReason" in chunk["candidates"][0] for chunk in chunks] == [False, True]


def test_turns_side_by_side_get_their_own_answers(gemini: GeminiServer) -> None:
    gemini.script(reply("other"))
    gemini.on("grid", reply("grid 1"), lambda request: reply(f"{len(request.contents)} contents"))
    grid = {"role": "user", "parts": [{"text": "a grid bot"}]}

    first = ask(gemini.url, contents=[grid])
    other = ask(gemini.url)
    second = ask(gemini.url, contents=[grid, CALLED, ANSWERED])

    texts = [a.json()["candidates"][0]["content"]["parts"][0]["text"] for a in (first, other, second)]
    assert texts == ["grid 1", "other", "3 contents"]
    assert gemini.requests[2].tool_results == [{"name": "f", "response": {}}]


def test_a_violation_is_answered_like_the_service_and_fails_the_test() -> None:
    with gemini_server() as server:
        server.script(reply("ok"))
        answer = ask(server.url, contents=[ASKED, SAID])
        ask(server.url)

    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    with pytest.raises(AssertionError, match="the real service refuses"):
        server.verify()


def test_a_request_too_many_fails_the_test() -> None:
    with gemini_server() as server:
        assert ask(server.url).status_code == 400

    with pytest.raises(AssertionError, match=r"without a scripted answer: \['Hi'\]"):
        server.verify()


def test_an_answer_too_many_fails_the_test() -> None:
    with gemini_server() as server:
        server.script(reply("never"))
        server.on("grid", status(500))

    with pytest.raises(AssertionError, match="2 scripted answers were never asked for"):
        server.verify()


async def test_it_runs_on_its_own_and_calls_a_tool_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ["--port", str(port), "--chunks", "2", "--tool-call", "f", "--tool-arguments", '{"a": 1}']
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.servers.gemini", *arguments)
    try:
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(20):
            asked = await _when_up(url, contents=[ASKED])
        answered = ask(url, contents=[ASKED, CALLED, ANSWERED])
    finally:
        process.terminate()
        await process.wait()

    assert asked.json()["candidates"][0]["content"]["parts"] == [call("f", {"a": 1})]
    assert [p["text"] for p in answered.json()["candidates"][0]["content"]["parts"]] == ["word 0 ", "word 1 "]


async def _when_up(url: str, **body: Any) -> httpx.Response:
    while True:
        try:
            return ask(url, **body)
        except httpx.ConnectError:
            await asyncio.sleep(0.05)
