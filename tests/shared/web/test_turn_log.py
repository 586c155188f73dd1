"""The line that alerts of the cloud read: its message and fields are named in infra/terraform too."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from shared.web.turn_log import log_turn
from tests.shared.web.test_telemetry import ANSWER, END, ended

METRICS = Path(__file__).parents[3] / "infra/terraform/modules/alerts/metrics.tf"


def test_a_turn_that_has_ended_is_told_with_its_overhead(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="turn")
    log_turn(ended(ANSWER, END))
    [record] = caplog.records
    told = {name: getattr(record, name) for name in ("turn_id", "status", "duration_ms", "overhead_ms")}
    assert told == {"turn_id": "t", "status": "completed", "duration_ms": 2000.0, "overhead_ms": 100.0}
    text = METRICS.read_text()
    assert f'jsonPayload.message=\\"{record.getMessage()}\\"' in text
    assert "EXTRACT(jsonPayload.overhead_ms)" in text
    assert "EXTRACT(jsonPayload.status)" in text
