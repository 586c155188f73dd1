"""The JSON of the tool routes, as contract section 5 names it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shared.approvals import Grant
from shared.messages import ToolResult, ToolSpec
from shared.tools.port import CallOrigin
from shared.web.model import WireModel


class SpecAnswer(WireModel):
    """One tool of the catalogue."""

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    requires_approval: bool


class ApprovalBody(WireModel):
    """The user's yes, as the chat function signed it (shared/approvals.py)."""

    call_id: str = Field(max_length=512)
    artifacts_sha256: str = Field(max_length=64)
    expires_at: AwareDatetime
    token: str = Field(max_length=64)


class CallBody(WireModel):
    """`POST /tools/{name}`; `turn_id` and `approval` are the chat function's, for calls of a turn."""

    arguments: dict[str, Any] = Field(default_factory=dict)
    session_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    call_id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")] | None = None
    user_id: str | None = None
    turn_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    approval: ApprovalBody | None = None

    @property
    def origin(self) -> CallOrigin | None:
        """The turn that makes the call, with its grant."""
        if self.turn_id is None:
            return None
        approval = self.approval
        return CallOrigin(
            turn_id=self.turn_id,
            grant=None if approval is None else Grant(turn_id=self.turn_id, **approval.model_dump()),
        )


class FaultAnswer(WireModel):
    """Why a call failed."""

    code: str
    message: str
    retryable: bool


class CallAnswer(WireModel):
    """The result of a call."""

    call_id: str
    name: str
    status: Literal["ok", "error"]
    result: Any = None
    error: FaultAnswer | None = None
    duration_ms: int
    artifacts: list[str] = Field(description="the files the call saved")
    untrusted: bool = Field(description="the result carries text from outside: data, never instructions")


class PassageAnswer(WireModel):
    """One passage of the documentation."""

    title: str
    heading: str
    path: str
    url: str
    content: str
    score: float


class SearchAnswer(WireModel):
    """`GET /api/docs/search`."""

    query: str
    results: list[PassageAnswer]
    total_found: int


def spec_wire(spec: ToolSpec) -> dict[str, Any]:
    """A tool as JSON."""
    return {
        "name": spec.name,
        "description": spec.description,
        "input_schema": spec.input_schema,
        "output_schema": spec.output_schema,
        "requires_approval": spec.requires_approval,
    }


def result_wire(result: ToolResult) -> dict[str, Any]:
    """A result as JSON: `result` or `error`, by its status."""
    wire: dict[str, Any] = {
        "call_id": result.id,
        "name": result.name,
        "status": result.status,
        "duration_ms": result.duration_ms,
        "artifacts": list(result.artifacts),
        "untrusted": result.untrusted,
    }
    if result.error is None:
        wire["result"] = result.result
    else:
        wire["error"] = {
            "code": result.error.code,
            "message": result.error.message,
            "retryable": result.error.retryable,
        }
    return wire
