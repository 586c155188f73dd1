"""One log line a turn that has ended: figures for whoever cannot ask each process for its metrics.

Alerts of the cloud count these lines by their message and the names of their fields
(infra/terraform/modules/alerts/metrics.tf).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.agent.engine import EndedTurn

_log = logging.getLogger("turn")


def log_turn(ended: EndedTurn) -> None:
    """Tells how a turn ended and its time, in milliseconds; `overhead_ms` is without model and tools."""
    overhead = max(0.0, ended.seconds - ended.model_seconds - ended.tool_seconds)
    _log.info(
        "turn ended",
        extra={
            "turn_id": ended.turn.turn_id,
            "status": ended.turn.status,
            "duration_ms": round(ended.seconds * 1000, 2),
            "overhead_ms": round(overhead * 1000, 2),
        },
    )
