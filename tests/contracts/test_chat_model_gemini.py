"""GeminiModel through the real SDK: what goes out, what comes in, how a reply ends."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
from inline_snapshot import snapshot

from shared.errors import ModelRefusedError
from shared.messages import FinishReason, TextPart, ToolCall, ToolFault, ToolResult, Usage
from shared.model.gemini import GeminiModel
from shared.model.gemini_request import OWN_ID_PREFIX
from tests.contracts.gemini_models import (
    LIST,
    MODEL,
    SAVE,
    assistant,
    gemini_model,
    ok,
    read,
    request,
    results,
    user,
)
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import (
    MODEL_VERSION,
    Answer,
    blocked,
    call,
    empty,
    finish,
    reply,
    text,
    thought,
)


@pytest.fixture
async def model(gemini: GeminiServer) -> AsyncIterator[GeminiModel]:
    model = gemini_model(gemini.url)
    yield model
    await model.close()


async def test_text_comes_as_it_was_sent_then_usage_and_the_model_that_answered(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gemini.script(reply("Hello ", "wörld\u2028", usage=(120, 7, 30)))

    parts, done = await read(model.stream(request()))

    assert parts == [TextPart(text="Hello "), TextPart(text="wörld\u2028")]
    assert (done.finish_reason, done.usage, done.model) == (
        "stop",
        Usage(input_tokens=120, output_tokens=37),
        MODEL_VERSION,
    )


async def test_the_request_on_the_wire(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply("ok"))

    await read(model.stream(request(tools=(SAVE, LIST))))

    sent = gemini.requests[0]
    assert sent.path == f"/v1beta/models/{MODEL}:streamGenerateContent"
    assert sent.body == snapshot(
        {
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {},
            "safetySettings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_MEDIUM_AND_ABOVE"},
                {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_MEDIUM_AND_ABOVE"},
                {"category": "HARM_CATEGORY_SEXUALLY_EXPLICIT", "threshold": "BLOCK_MEDIUM_AND_ABOVE"},
                {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_MEDIUM_AND_ABOVE"},
            ],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "save_artifact",
                            "description": "Saves a file.",
                            "parametersJsonSchema": {
                                "type": "object",
                                "properties": {
                                    "filename": {"type": "string"},
                                    "tags": {"type": "array", "items": {"type": "string"}},
                                },
                                "required": ["filename"],
                                "additionalProperties": False,
                            },
                        },
                        {"name": "list_artifacts", "description": "Lists the files."},
                    ]
                }
            ],
        }
    )


async def test_without_system_and_tools_nothing_of_them_is_sent(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gemini.script(reply("ok"))

    await read(model.stream(request(system="", tools=(), allow_tools=False)))

    assert gemini.requests[0].body.keys() == {"contents", "safetySettings", "generationConfig"}


async def test_tools_that_are_not_allowed_stay_declared(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply("words"), reply("words"))

    await read(model.stream(request(tools=(SAVE,), allow_tools=False)))
    await read(model.stream(request(tools=(SAVE,))))

    barred, allowed = (sent.body for sent in gemini.requests)
    assert barred["toolConfig"] == {"functionCallingConfig": {"mode": "NONE"}}
    assert "toolConfig" not in allowed
    assert barred["tools"] == allowed["tools"]


async def test_parallel_calls_without_ids_are_answered_in_order_and_signatures_return(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    first = call("save_artifact", {"filename": "a.py", "tags": ["x"]}, signature=b"\x00\xffsigned")
    second = call("list_artifacts", {})
    gemini.script(
        reply(text("I will save it. "), text("", signature=b"quiet"), (first, second)),
        reply("Done."),
    )

    parts, done = await read(model.stream(request(user("save"), tools=(SAVE, LIST))))
    words, quiet, save, listing = parts
    assert isinstance(save, ToolCall)
    assert isinstance(listing, ToolCall)
    assert done.finish_reason == "tool_calls"
    assert quiet == TextPart(text="", signature=base64.b64encode(b"quiet").decode())
    assert save.signature == base64.b64encode(b"\x00\xffsigned").decode()
    assert save.arguments == {"filename": "a.py", "tags": ["x"]}
    assert listing.signature is None
    assert save.id.startswith(OWN_ID_PREFIX)
    assert listing.id.startswith(OWN_ID_PREFIX)
    assert save.id != listing.id

    fault = ToolFault(code="tool_failed", message="no files yet")
    failed = ToolResult(id=listing.id, name=listing.name, status="error", error=fault)
    history = (
        user("save"),
        assistant(words, quiet, save, listing),
        results(failed, ok(save, {"version": 1})),
    )
    await read(model.stream(request(*history, tools=(SAVE, LIST))))

    _, said, answered = gemini.requests[1].contents
    assert said["parts"] == [
        {"text": "I will save it. "},
        {"text": "", "thoughtSignature": "cXVpZXQ="},
        first,
        second,
    ]
    assert answered == snapshot(
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "save_artifact", "response": {"result": {"version": 1}}}},
                {
                    "functionResponse": {
                        "name": "list_artifacts",
                        "response": {
                            "error": {"code": "tool_failed", "message": "no files yet", "retryable": False}
                        },
                    }
                },
            ],
        }
    )


async def test_an_id_of_the_model_goes_back_with_call_and_result(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gemini.script(reply(call("list_artifacts", {}, id="fc-17")), reply("None."))

    (listing,), _ = await read(model.stream(request(tools=(LIST,))))
    assert isinstance(listing, ToolCall)
    await read(model.stream(request(user("Hi"), assistant(listing), results(ok(listing, [])), tools=(LIST,))))

    assert listing.id == "fc-17"
    _, said, answered = gemini.requests[1].contents
    assert said["parts"][0]["functionCall"]["id"] == "fc-17"
    assert answered["parts"] == [
        {"functionResponse": {"id": "fc-17", "name": "list_artifacts", "response": {"result": []}}}
    ]


async def test_unsigned_texts_are_joined_and_signed_ones_left_alone(
    gemini: GeminiServer, model: GeminiModel
) -> None:
    gemini.script(reply("a", "b", text("c", signature=b"s"), "d", "e"), reply("ok"))

    parts, _ = await read(model.stream(request()))
    await read(model.stream(request(user("Hi"), assistant(*parts), user("and?"))))

    assert gemini.requests[1].contents[1]["parts"] == [
        {"text": "ab"},
        {"text": "c", "thoughtSignature": "cw=="},
        {"text": "de"},
    ]


async def test_a_history_with_gaps_still_alternates(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply("ok"))
    listing = ToolCall(id="x1", name="list_artifacts", arguments={})
    history = (
        user("one"),
        user("two"),
        assistant(TextPart(text="")),
        assistant(listing),
        results(ok(listing, ["a"])),
        user("three"),
    )

    await read(model.stream(request(*history, tools=(LIST,))))

    assert [(c["role"], len(c["parts"])) for c in gemini.requests[0].contents] == [
        ("user", 2),
        ("model", 1),
        ("user", 1),
        ("user", 1),
    ]


async def test_thoughts_are_not_shown(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply(thought("hm"), "Yes."))

    parts, done = await read(model.stream(request()))

    assert parts == [TextPart(text="Yes.")]
    assert done.finish_reason == "stop"


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (finish("MAX_TOKENS", "half an ans"), "max_tokens", "half an ans"),
        (finish("SAFETY"), "safety", ""),
        (finish("SAFETY", "well, "), "safety", "well, "),
        (finish("PROHIBITED_CONTENT"), "safety", ""),
        (finish("BLOCKLIST"), "safety", ""),
        (finish("SPII"), "safety", ""),
        (finish("RECITATION", "To be"), "safety", "To be"),
        (finish("IMAGE_SAFETY"), "safety", ""),
        (finish("LANGUAGE"), "safety", ""),
        (finish("MALFORMED_FUNCTION_CALL"), "malformed_tool_call", ""),
        (finish("UNEXPECTED_TOOL_CALL"), "malformed_tool_call", ""),
        (finish("OTHER"), "empty", ""),
        (finish("OTHER", "Well"), "error", "Well"),
        (blocked("PROHIBITED_CONTENT"), "safety", ""),
        (empty(), "empty", ""),
        (reply(thought("only thoughts")), "empty", ""),
        (reply(text("", signature=b"s")), "empty", ""),
    ],
)
async def test_every_end_has_its_outcome(
    gemini: GeminiServer, model: GeminiModel, answer: Answer, reason: FinishReason, words: str
) -> None:
    gemini.script(answer)

    parts, done = await read(model.stream(request()))

    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == words
    assert done.finish_reason == reason
    assert done.usage.input_tokens == 10


async def test_a_request_may_name_its_model(gemini: GeminiServer, model: GeminiModel) -> None:
    gemini.script(reply("ok"), reply("ok"))

    await read(model.stream(request(model="gemini-3.8-pro")))
    await read(model.stream(request(model="")))

    assert model.name == MODEL
    assert [sent.model for sent in gemini.requests] == ["gemini-3.8-pro", MODEL]


@pytest.mark.parametrize(
    "name", ["../secrets", "a b", "m:generateContent", "m?key=1", "m/../n", "x" * 300, "m#"]
)
async def test_a_name_that_is_no_model_name_is_refused(model: GeminiModel, name: str) -> None:
    with pytest.raises(ModelRefusedError):
        await read(model.stream(request(model=name)))
