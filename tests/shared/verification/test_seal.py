"""What a record is worth: for exactly its bytes, and only where this deployment's key signed it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.artifact_set import VERIFICATION_FILE, files_sha256
from shared.verification.port import Finding, Severity
from shared.verification.record import Stage, Verification
from shared.verification.seal import RecordSeal, verification_state

SEAL = RecordSeal((b"key",))
FILES = {"main.py": b"print(1)\n", "bot-config.yaml": b"name: a-bot\n"}
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def verification(severity: Severity | None = None) -> Verification:
    """A record of FILES with one finding, or none."""
    findings = (Finding(rule="r", severity=severity, message="It does."),) if severity else ()
    return Verification(
        artifacts_sha256=files_sha256(FILES),
        config={"symbol": "BTC/USDT"},
        stages=(Stage(name="run", summary="Run.", findings=findings),),
        checkers={"verification": "1"},
        isolation="test",
        started_at=NOW,
        ended_at=NOW,
    )


@pytest.mark.parametrize(
    ("severity", "verdict", "is_ready"),
    [
        (None, "verified", True),
        ("note", "verified", True),
        ("warning", "verified_with_warnings", True),
        ("failure", "rejected", False),
    ],
)
def test_the_gravest_finding_is_the_verdict(severity: Severity | None, verdict: str, is_ready: bool) -> None:
    record = SEAL.signed(verification(severity).form())
    state = verification_state(FILES, record, SEAL)
    assert (state.state, state.is_ready) == (verdict, is_ready)


def test_evidence_beside_the_bot_changes_nothing() -> None:
    record = SEAL.signed(verification().form())
    beside = {**FILES, VERIFICATION_FILE: record, "backtest/report.html": b"<p>"}
    assert files_sha256(beside) == files_sha256(FILES)
    assert SEAL.state(beside).state == "verified"


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "main.py": b"print(2)\n"},
        {**FILES, "main2.py": b""},
        {"main.py": FILES["main.py"]},
        {"main.py": FILES["bot-config.yaml"], "bot-config.yaml": FILES["main.py"]},
        {**FILES, "backtest.py": b""},
        {**FILES, "sub/verification.json": b""},
    ],
    ids=["byte", "more", "fewer", "swapped", "not evidence", "not the record"],
)
def test_one_byte_makes_a_bot_unverified(files: dict[str, bytes]) -> None:
    record = SEAL.signed(verification().form())
    state = verification_state(files, record, SEAL)
    assert (state.state, state.is_ready) == ("unverified", False)


def _forged(**changes: Any) -> bytes:
    form = json.loads(SEAL.signed(verification("failure").form()))
    return json.dumps({**form, **changes}).encode()


@pytest.mark.parametrize(
    "record",
    [
        _forged(verdict="verified"),
        _forged(verdict="verified", reasons=[], stages=[]),
        _forged(artifacts_sha256="0" * 64),
        _forged(signature="x"),
        _forged(signature=None),
        _forged(signature=[]),
        RecordSeal((b"another key",)).signed(verification().form()),
        json.dumps(verification().form()).encode(),
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"null",
        b"[" * 100_000,
        None,
    ],
)
def test_a_record_that_somebody_wrote_by_hand_is_worth_nothing(record: bytes | None) -> None:
    assert verification_state(FILES, record, SEAL).state == "unverified"


def test_a_record_outlives_the_rotation_of_its_key() -> None:
    record = RecordSeal((b"old",)).signed(verification().form())
    assert verification_state(FILES, record, RecordSeal((b"new", b"old"))).state == "verified"
    assert verification_state(FILES, record, RecordSeal((b"new",))).state == "unverified"
