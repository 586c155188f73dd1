"""What every turn of a process shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.agent.review import AnswerReview
from shared.agent.window import ContextWindow
from shared.approvals import ApprovalSigner
from shared.artifacts.port import Artifacts
from shared.clock import Clock
from shared.ids import NewId
from shared.model.port import ModelSource
from shared.tools.port import ToolRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnParts:
    """The ports a turn runs on, and its limits. Seconds; `approval_time` is how long a question is open,
    `lease_seconds` how long a session stays taken by a turn whose process has died."""

    models: ModelSource
    window: ContextWindow
    tools: ToolRunner
    artifacts: Artifacts
    approvals: ApprovalSigner
    review: AnswerReview
    approval_time: timedelta
    clock: Clock
    new_id: NewId
    max_tool_calls: int
    turn_timeout: float
    model_timeout: float
    lease_seconds: float = 30.0
