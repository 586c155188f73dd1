"""The stored forms of values: the one door between our values and the bytes in a store.

A form is JSON, `{"schema_version": 1, "value": ...}`, the value's fields under their own names. Reading
ignores fields it does not know and fills in those that came later, so that two releases can share a store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import orjson

from shared.errors import InternalError, UnprocessableError
from shared.messages import TextPart, ToolCall, ToolFault, ToolResult, Usage
from shared.sealing import Keyring
from shared.session import Summary
from shared.sessions.outbox_port import OutgoingEvent
from shared.turn import (
    ApprovalStep,
    DecisionStep,
    FinalStep,
    ModelStep,
    ResumedStep,
    Step,
    ToolStep,
    TurnRequest,
    UserStep,
)

SCHEMA_VERSION = 1

# Leading white space is legal JSON: it marks what only the standard library reads back exactly.
_EXACT = b" "


class Codec:
    """Writes and reads stored forms, sealed for their user where there are encryption keys."""

    def __init__(self, keyring: Keyring | None = None) -> None:
        self.keyring = keyring or Keyring()

    def encode(self, value: Any, user_id: str) -> bytes:
        """The stored form of a JSON value or of a value of ours.

        Lone surrogates, NUL characters and integers of any size come back as they were; NaN becomes null.

        Raises:
            UnprocessableError: the value is nested too deeply to be written.
            InternalError: something in it is no JSON value.
        """
        return self._encode({"schema_version": SCHEMA_VERSION, "value": value}, user_id)

    def decode(self, stored: bytes, user_id: str) -> Any:
        """The JSON value of a stored form.

        Raises:
            InternalError: a newer release wrote it, it is damaged, or it does not open for this user.
        """
        return self._decode(stored, user_id)["value"]

    def _encode(self, form: dict[str, Any], user_id: str) -> bytes:
        try:
            plain = orjson.dumps(form)
        except TypeError:
            plain = _encode_exactly(form)
        return self.keyring.seal(plain, user_id)

    def _decode(self, stored: bytes, user_id: str) -> dict[str, Any]:
        plain = self.keyring.open(stored, user_id)
        try:
            form: dict[str, Any] = json.loads(plain) if plain.startswith(_EXACT) else orjson.loads(plain)
        except ValueError:
            # The parser's own error holds the text.
            raise InternalError("a stored value is damaged") from None
        if form["schema_version"] > SCHEMA_VERSION:
            raise InternalError(f"a stored value has schema_version {form['schema_version']}")
        return form

    def decode_request(self, stored: bytes, user_id: str) -> TurnRequest:
        """The request of a turn."""
        form = self.decode(stored, user_id)
        return TurnRequest(
            message=form["message"],
            enable_tools=form.get("enable_tools", True),
            context=form.get("context") or {},
            model=form.get("model"),
            traceparent=form.get("traceparent"),
        )

    def encode_event(self, event: OutgoingEvent, user_id: str) -> bytes:
        """The stored form of an event's data, beside which it says where in a trace the event was caused."""
        beside = {} if event.traceparent is None else {"traceparent": event.traceparent}
        return self._encode({"schema_version": SCHEMA_VERSION, "value": event.data, **beside}, user_id)

    def decode_event(self, stored: bytes, user_id: str, *, event_id: str, type: str) -> OutgoingEvent:
        """An event by the stored form of its data."""
        form = self._decode(stored, user_id)
        return OutgoingEvent(
            event_id=event_id, type=type, data=form["value"], traceparent=form.get("traceparent")
        )

    def decode_step(self, stored: bytes, user_id: str) -> Step:
        """One step of a turn; raises InternalError for a kind this release does not know."""
        form = self.decode(stored, user_id)
        reader = _STEPS.get(form["kind"])
        if reader is None:
            raise InternalError(f"a stored step has the unknown kind {form['kind']!r}")
        return reader(form)

    def decode_tool_result(self, stored: bytes, user_id: str) -> ToolResult:
        """The result of a tool call."""
        return _result(self.decode(stored, user_id))

    def decode_summary(self, stored: bytes, user_id: str) -> Summary:
        """The summary of a session."""
        form = self.decode(stored, user_id)
        return Summary(text=form["text"], through=form["through"])

    def reseal(self, stored: bytes, user_id: str) -> bytes | None:
        """The same form under the first key; None when it is so already."""
        if self.keyring.is_current(stored):
            return None
        return self.keyring.seal(self.keyring.open(stored, user_id), user_id)


def _encode_exactly(form: dict[str, Any]) -> bytes:
    try:
        return _EXACT + json.dumps(form, default=_fields_of, separators=(",", ":")).encode("ascii")
    except RecursionError as error:
        raise UnprocessableError("a value is nested too deeply") from error
    except (TypeError, ValueError) as error:
        raise InternalError("a value to store is not JSON") from error


def _fields_of(value: Any) -> dict[str, Any] | str:
    if isinstance(value, datetime):
        # As orjson writes it.
        return value.isoformat()
    if not is_dataclass(value):
        raise TypeError(type(value).__name__)
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _user(form: Mapping[str, Any]) -> UserStep:
    return UserStep(text=form["text"], context=form.get("context") or {})


def _model(form: Mapping[str, Any]) -> ModelStep:
    usage = form["usage"]
    return ModelStep(
        parts=tuple(_part(part) for part in form["parts"]),
        finish_reason=form["finish_reason"],
        usage=Usage(input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"]),
        model=form["model"],
    )


def _part(form: Mapping[str, Any]) -> TextPart | ToolCall:
    if form["kind"] == "text":
        return TextPart(text=form["text"], signature=form.get("signature"))
    return ToolCall(
        id=form["id"], name=form["name"], arguments=form["arguments"], signature=form.get("signature")
    )


def _tool(form: Mapping[str, Any]) -> ToolStep:
    filenames = form.get("filenames")
    return ToolStep(
        result=_result(form["result"]),
        filenames=None if filenames is None else tuple(filenames),
    )


def _result(form: Mapping[str, Any]) -> ToolResult:
    return ToolResult(
        id=form["id"],
        name=form["name"],
        status=form["status"],
        result=form.get("result"),
        error=_fault(form["error"]) if form.get("error") else None,
        duration_ms=form.get("duration_ms", 0),
        artifacts=tuple(form.get("artifacts") or ()),
        untrusted=form.get("untrusted", False),
    )


def _fault(form: Mapping[str, Any]) -> ToolFault:
    return ToolFault(code=form["code"], message=form["message"], retryable=form.get("retryable", False))


def _final(form: Mapping[str, Any]) -> FinalStep:
    return FinalStep(
        status=form["status"],
        finish_reason=form["finish_reason"],
        error=form.get("error"),
        code=form.get("code"),
        retryable=form.get("retryable", False),
    )


def _approval(form: Mapping[str, Any]) -> ApprovalStep:
    return ApprovalStep(
        call_id=form["call_id"],
        name=form["name"],
        arguments=form["arguments"],
        artifacts_sha256=form["artifacts_sha256"],
        expires_at=datetime.fromisoformat(form["expires_at"]),
        token=form["token"],
    )


def _decision(form: Mapping[str, Any]) -> DecisionStep:
    return DecisionStep(call_id=form["call_id"], approved=form["approved"])


def _resumed(_: Mapping[str, Any]) -> ResumedStep:
    return ResumedStep()


_STEPS: dict[str, Callable[[Mapping[str, Any]], Step]] = {
    "user": _user,
    "model": _model,
    "tool": _tool,
    "approval": _approval,
    "decision": _decision,
    "resumed": _resumed,
    "final": _final,
}
