"""A model request in the JSON form of Gemini's `generateContent`.

The forms are those of the public REST reference. They are made as plain dicts and sent by the SDK's
`extra_body`: its typed way validates and copies the whole history and every tool schema for each call, which
more than doubles the CPU time of a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from shared.errors import ModelRefusedError
from shared.fence import fence
from shared.messages import Message, TextPart, ToolCall, ToolResult, ToolSpec
from shared.model.port import ModelRequest

# Calls that Gemini sent without an id get one of ours; the prefix tells them apart, because only an id the
# model gave may be sent back to it.
OWN_ID_PREFIX = "t0-"

_MODEL_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_@-]|\.(?!\.)|/(?=[A-Za-z0-9])){0,199}")

_SAFETY_SETTINGS = [
    {"category": f"HARM_CATEGORY_{category}", "threshold": "BLOCK_MEDIUM_AND_ABOVE"}
    for category in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
]

Json = dict[str, Any]


def checked_model_name(name: str) -> str:
    """The name, when it is one that can stand in the service's URL; raises ModelRefusedError when not."""
    if _MODEL_NAME.fullmatch(name) is None:
        raise ModelRefusedError("This is not the name of a model.")
    return name


def request_body(request: ModelRequest) -> Json:
    """The body of the call; the parts that repeat from call to call are shared and must not be changed."""
    frame = _frame(request.system, request.tools, request.allow_tools)
    body = {**frame, "contents": _contents(request.messages)}
    if request.max_output_tokens is not None:
        body["generationConfig"] = {"maxOutputTokens": request.max_output_tokens}
    return body


@lru_cache(maxsize=64)
def _frame(system: str, tools: tuple[ToolSpec, ...], allow_tools: bool) -> Json:
    frame: Json = {"safetySettings": _SAFETY_SETTINGS}
    if system:
        frame["systemInstruction"] = {"parts": [{"text": system}]}
    if tools:
        frame["tools"] = [{"functionDeclarations": [_declaration(tool) for tool in tools]}]
        if not allow_tools:
            frame["toolConfig"] = {"functionCallingConfig": {"mode": "NONE"}}
    return frame


def _declaration(tool: ToolSpec) -> Json:
    declaration: Json = {"name": tool.name, "description": tool.description}
    # The service refuses an object schema without properties; a function without parameters has none.
    if tool.input_schema.get("properties"):
        declaration["parametersJsonSchema"] = tool.input_schema
    return declaration


def _contents(messages: Iterable[Message]) -> list[Json]:
    """The history; neighbours of one role are joined, because user and model have to alternate."""
    contents: list[Json] = []
    joined: str | None = None
    order: dict[str, int] = {}
    for message in messages:
        if message.role == "tool":
            parts = _results(message, order)
        elif message.role == "assistant":
            parts = _spoken(message)
            order = {call.id: number for number, call in enumerate(message.tool_calls)}
        else:
            parts = [
                {"text": part.text} for part in message.parts if isinstance(part, TextPart) and part.text
            ]
        if not parts:
            continue
        if message.role == joined:
            contents[-1]["parts"].extend(parts)
        else:
            contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
        joined = message.role
    return contents


def _spoken(message: Message) -> list[Json]:
    """The model's own parts: unsigned neighbouring texts joined, a signed part left exactly as it came."""
    parts: list[Json] = []
    open_text: Json | None = None
    for part in message.parts:
        if isinstance(part, TextPart) and part.signature is None:
            if open_text is not None:
                open_text["text"] += part.text
            elif part.text:
                open_text = {"text": part.text}
                parts.append(open_text)
            continue
        open_text = None
        if isinstance(part, TextPart):
            parts.append({"text": part.text, "thoughtSignature": part.signature})
        elif isinstance(part, ToolCall):
            parts.append(_call(part))
    return parts


def _call(call: ToolCall) -> Json:
    wire: Json = {"functionCall": _with_id(call.id, {"name": call.name, "args": call.arguments})}
    if call.signature is not None:
        wire["thoughtSignature"] = call.signature
    return wire


def _results(message: Message, order: dict[str, int]) -> list[Json]:
    """The answers in the order of the calls: without ids that is how the service tells them apart."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    results.sort(key=lambda result: order.get(result.id, len(order)))
    return [{"functionResponse": _with_id(r.id, {"name": r.name, "response": _response(r)})} for r in results]


def _response(result: ToolResult) -> Json:
    if result.status == "ok":
        if result.untrusted:
            return {"result": fence(result.name, orjson.dumps(result.result).decode())}
        return {"result": result.result}
    fault = result.error
    if fault is None:
        return {"error": {"message": "the tool failed"}}
    return {"error": {"code": fault.code, "message": fault.message, "retryable": fault.retryable}}


def _with_id(call_id: str, wire: Json) -> Json:
    return wire if call_id.startswith(OWN_ID_PREFIX) else {"id": call_id, **wire}
