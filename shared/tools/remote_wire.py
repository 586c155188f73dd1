"""The tools function's JSON (contract section 5) read back as our values; what is not ours is refused."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.approvals import Grant
from shared.clock import to_wire
from shared.messages import ToolCall, ToolFault, ToolResult, ToolSpec


class _Spec(BaseModel):
    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    requires_approval: bool = False


class _Fault(BaseModel):
    code: str
    message: str
    retryable: bool = False


class _Answer(BaseModel):
    status: Literal["ok", "error"]
    result: Any = None
    error: _Fault | None = None
    duration_ms: int = 0
    artifacts: tuple[str, ...] = ()
    # An older service does not say: then it is not to be trusted.
    untrusted: bool = True


class _Problem(BaseModel):
    code: str
    detail: str


_SPECS = TypeAdapter(tuple[_Spec, ...])


def approval_wire(grant: Grant) -> dict[str, str]:
    """The user's yes as the tools function takes it beside the call."""
    return {
        "call_id": grant.call_id,
        "artifacts_sha256": grant.artifacts_sha256,
        "expires_at": to_wire(grant.expires_at),
        "token": grant.token,
    }


def specs_of(body: bytes) -> tuple[ToolSpec, ...] | None:
    """The catalogue; None when the body is none."""
    try:
        return tuple(ToolSpec(**spec.model_dump()) for spec in _SPECS.validate_json(body))
    except ValidationError:
        return None


def result_of(call: ToolCall, body: bytes) -> ToolResult | None:
    """The result of the call, under the call's own id; None when the body is none."""
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        return None
    if (answer.status == "error") != (answer.error is not None):
        return None
    fault = answer.error
    return ToolResult(
        id=call.id,
        name=call.name,
        status=answer.status,
        result=answer.result,
        error=None if fault is None else ToolFault(**fault.model_dump()),
        duration_ms=answer.duration_ms,
        artifacts=answer.artifacts,
        untrusted=answer.untrusted,
    )


def refusal_of(status: int, body: bytes) -> ToolFault:
    """Why the service took no call, in words for the model: its own, unless about credentials."""
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        problem = None
    if problem is None or status in (401, 403):
        return ToolFault(
            code="tool_service_unavailable",
            message=f"the tool service refused the call (status {status}): tools cannot be used now",
        )
    return ToolFault(code=problem.code, message=problem.detail)
