"""Gemini's streamed responses as chunks of ours, and how the reply ended."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from shared.errors import ModelUnavailableError
from shared.ids import NewId
from shared.messages import FinishReason, TextPart, ToolCall, Usage
from shared.model.gemini_request import OWN_ID_PREFIX
from shared.model.port import ModelDone

if TYPE_CHECKING:
    from google.genai.types import Candidate, GenerateContentResponse, Part

_FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "max_tokens",
    "CONTINUATION": "max_tokens",
    "SAFETY": "safety",
    "RECITATION": "safety",
    "LANGUAGE": "safety",
    "BLOCKLIST": "safety",
    "PROHIBITED_CONTENT": "safety",
    "SPII": "safety",
    "ESCALATION": "safety",
    "PUP_LIMITED_DISABLED": "safety",
    "MODEL_ARMOR": "safety",
    "IMAGE_SAFETY": "safety",
    "IMAGE_PROHIBITED_CONTENT": "safety",
    "IMAGE_RECITATION": "safety",
    "MALFORMED_FUNCTION_CALL": "malformed_tool_call",
    "UNEXPECTED_TOOL_CALL": "malformed_tool_call",
    "TOO_MANY_TOOL_CALLS": "malformed_tool_call",
    "MISSING_THOUGHT_SIGNATURE": "malformed_tool_call",
    "MALFORMED_RESPONSE": "malformed_tool_call",
}


class ReplyReader:
    """Reads one streamed reply; `started` says whether anything of it was handed out."""

    __slots__ = ("_blocked", "_called", "_finish", "_model", "_new_id", "_spoke", "_usage", "started")

    def __init__(self, *, model: str, new_id: NewId) -> None:
        self.started = False
        self._model = model
        self._new_id = new_id
        self._usage: Usage | None = None
        self._finish: str | None = None
        self._blocked = False
        self._called = False
        self._spoke = False

    @property
    def usage(self) -> Usage | None:
        """The counts of the reply so far; None while the service has told none."""
        return self._usage

    def read(self, response: GenerateContentResponse) -> list[TextPart | ToolCall]:
        """What this response adds, in the model's order; thoughts are left out."""
        counts = response.usage_metadata
        if counts is not None:
            self._usage = Usage(
                input_tokens=(counts.prompt_token_count or 0) + (counts.tool_use_prompt_token_count or 0),
                output_tokens=(counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0),
            )
        if response.model_version:
            self._model = response.model_version
        if response.prompt_feedback is not None and response.prompt_feedback.block_reason is not None:
            self._blocked = True
        return self._read_candidate(response.candidates[0]) if response.candidates else []

    def done(self) -> ModelDone:
        """How the reply ended.

        Raises:
            ModelUnavailableError: the stream ended before the reply did.
        """
        return ModelDone(finish_reason=self._outcome(), usage=self._usage or Usage(), model=self._model)

    def _read_candidate(self, candidate: Candidate) -> list[TextPart | ToolCall]:
        if candidate.finish_reason is not None:
            self._finish = candidate.finish_reason.value
        if candidate.content is None or not candidate.content.parts:
            return []
        chunks = [chunk for part in candidate.content.parts if (chunk := self._read_part(part)) is not None]
        self.started = self.started or bool(chunks)
        return chunks

    def _read_part(self, part: Part) -> TextPart | ToolCall | None:
        token = part.thought_signature
        signature = base64.b64encode(token).decode("ascii") if token else None
        call = part.function_call
        if call is not None:
            self._called = True
            return ToolCall(
                id=call.id or OWN_ID_PREFIX + self._new_id(),
                name=call.name or "",
                arguments=call.args or {},
                signature=signature,
            )
        if part.thought or part.text is None or not (part.text or signature):
            return None
        self._spoke = self._spoke or bool(part.text)
        return TextPart(text=part.text, signature=signature)

    def _outcome(self) -> FinishReason:
        if self._finish is None:
            if self._blocked:
                return "safety"
            raise ModelUnavailableError("The model's answer was cut off.", model=self._model)
        reason = _FINISH_REASONS.get(self._finish, "error")
        if reason in {"stop", "error"} and not (self._called or self._spoke):
            return "safety" if self._blocked else "empty"
        return "tool_calls" if reason == "stop" and self._called else reason
