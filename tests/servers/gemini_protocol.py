"""The rules of Gemini's `generateContent` requests that the real service enforces, as far as we send them.

Sources: the public REST reference of `models.generateContent`, and the service's own 400 messages on
function calls and thought signatures.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

_REQUEST_FIELDS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
}
_DATA_FIELDS = {"text", "functionCall", "functionResponse", "inlineData", "fileData"}
_PART_FIELDS = _DATA_FIELDS | {"thought", "thoughtSignature"}
_DECLARATION_FIELDS = {
    "name",
    "description",
    "parameters",
    "parametersJsonSchema",
    "response",
    "responseJsonSchema",
    "behavior",
}
_CATEGORIES = {
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
}
_THRESHOLDS = {"BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"}
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$")


class ProtocolError(Exception):
    """A request the real service would answer with 400."""


class Signatures:
    """The thought signatures this server gave out, and the parts they belong to."""

    def __init__(self) -> None:
        self._given: defaultdict[str, set[str | None]] = defaultdict(set)

    def give(self, part: dict[str, Any]) -> None:
        """Remembers a part as sent."""
        self._given[_identity(part)].add(part.get("thoughtSignature"))

    def check(self, part: dict[str, Any]) -> None:
        """Raises ProtocolError unless the part carries the signature it was given with."""
        signature = part.get("thoughtSignature")
        allowed = self._given.get(_identity(part))
        if signature is not None and (allowed is None or signature not in allowed):
            raise ProtocolError("Thought signature is not valid for this part.")
        if allowed is not None and signature is None and None not in allowed and "functionCall" in part:
            name = part["functionCall"]["name"]
            raise ProtocolError(
                f"Function call is missing a thought_signature in functionCall part `{name}`."
            )


def check_request(body: Any, signatures: Signatures) -> None:
    """Raises ProtocolError with a message in the service's manner when the request breaks a rule."""
    _known(body, _REQUEST_FIELDS, "request")
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise ProtocolError("contents is not specified")
    for index, content in enumerate(contents):
        _check_content(content, f"contents[{index}]", signatures)
    _check_order(contents)
    if "systemInstruction" in body and not body["systemInstruction"].get("parts"):
        raise ProtocolError("systemInstruction.parts must not be empty.")
    _check_tools(body)
    _check_safety(body)
    _check_generation(body)


def _check_content(content: Any, where: str, signatures: Signatures) -> None:
    _known(content, {"role", "parts"}, where)
    if content.get("role") not in {"user", "model"}:
        raise ProtocolError("Please use a valid role: user, model.")
    if not content.get("parts"):
        raise ProtocolError(f"{where}.parts must not be empty.")
    for number, part in enumerate(content["parts"]):
        _check_part(part, f"{where}.parts[{number}]")
        if content["role"] == "model":
            signatures.check(part)
        elif "functionCall" in part or "thoughtSignature" in part:
            raise ProtocolError(f"{where}.parts[{number}]: a user cannot call functions or think.")


def _check_part(part: Any, where: str) -> None:
    _known(part, _PART_FIELDS, where)
    kinds = _DATA_FIELDS & part.keys()
    if len(kinds) != 1:
        raise ProtocolError(f"{where}.data: required oneof field 'data' must have one initialized field")
    if part.get("text") == "" and "thoughtSignature" not in part:
        raise ProtocolError(f"{where}: Unable to submit request because it must have a text parameter.")
    if "functionCall" in part:
        _known(part["functionCall"], {"id", "name", "args"}, where)
        _check_name(part["functionCall"].get("name"), where)
    if "functionResponse" in part:
        _known(part["functionResponse"], {"id", "name", "response"}, where)
        _check_name(part["functionResponse"].get("name"), where)
        if not isinstance(part["functionResponse"].get("response"), dict):
            raise ProtocolError(f"{where}.function_response.response: must be a Struct")


def _check_order(contents: list[dict[str, Any]]) -> None:
    if contents[0]["role"] != "user" or contents[-1]["role"] != "user":
        raise ProtocolError("Please ensure that multiturn requests start and end with a user role.")
    pending: list[dict[str, Any]] = []
    previous: dict[str, Any] | None = None
    for content in contents:
        responses = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        _check_answers(pending, responses)
        if previous is not None and previous["role"] == content["role"] and not _answers(previous):
            raise ProtocolError("Please ensure that multiturn requests alternate between user and model.")
        if responses and len(responses) != len(content["parts"]):
            raise ProtocolError("A function response turn holds only function responses.")
        pending = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        previous = content


def _answers(content: dict[str, Any]) -> bool:
    return content["role"] == "user" and any("functionResponse" in part for part in content["parts"])


def _check_answers(calls: list[dict[str, Any]], responses: list[dict[str, Any]]) -> None:
    if len(calls) != len(responses):
        raise ProtocolError(
            "Please ensure that the number of function response parts is equal to the number of function "
            "call parts of the function call turn."
        )
    for made, answered in zip(calls, responses, strict=True):
        if made["name"] != answered["name"] or made.get("id") != answered.get("id"):
            raise ProtocolError(f"Function response {answered['name']} does not match call {made['name']}.")


def _check_tools(body: dict[str, Any]) -> None:
    names: set[str] = set()
    for declaration in _declarations(body):
        _known(declaration, _DECLARATION_FIELDS, "function_declarations")
        _check_name(declaration.get("name"), "function_declarations")
        if declaration["name"] in names:
            raise ProtocolError(f"Duplicate function declaration found: {declaration['name']}")
        if "parameters" in declaration and "parametersJsonSchema" in declaration:
            raise ProtocolError("parameters and parameters_json_schema are mutually exclusive.")
        names.add(declaration["name"])
    mode = body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode", "AUTO")
    if mode not in {"AUTO", "ANY", "NONE", "VALIDATED"}:
        raise ProtocolError(f"Invalid value at 'tool_config.function_calling_config.mode': {mode}")
    if mode == "ANY" and not names:
        raise ProtocolError("Function calling config is set without function_declarations.")


def _declarations(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for tool in body.get("tools", []):
        _known(tool, {"functionDeclarations", "googleSearch", "urlContext", "codeExecution"}, "tools")
        yield from tool.get("functionDeclarations", [])


def _check_safety(body: dict[str, Any]) -> None:
    for setting in body.get("safetySettings", []):
        _known(setting, {"category", "threshold"}, "safety_settings")
        if setting.get("category") not in _CATEGORIES or setting.get("threshold") not in _THRESHOLDS:
            raise ProtocolError("Invalid value at 'safety_settings'.")


def _check_generation(body: dict[str, Any]) -> None:
    generation = body.get("generationConfig", {})
    _known(generation, {"maxOutputTokens", "temperature", "thinkingConfig"}, "generation_config")
    most = generation.get("maxOutputTokens", 1)
    if not isinstance(most, int) or not 1 <= most <= 65536:
        raise ProtocolError("max_output_tokens must be in the range [1, 65537).")


def _known(value: Any, fields: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise ProtocolError(f"Invalid value at '{where}': an object is needed.")
    for name in value.keys() - fields:
        raise ProtocolError(
            f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
        )


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise ProtocolError(f"{where}: Invalid function name.")


def _identity(part: dict[str, Any]) -> str:
    return json.dumps(
        {key: value for key, value in part.items() if key != "thoughtSignature"}, sort_keys=True
    )
