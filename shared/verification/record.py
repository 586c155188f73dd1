"""The record of a verification: its stages, its verdict, and the exact bytes it is about.

`verification.json` is this record, signed. docs/verification.md tells each member.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from shared.clock import to_wire
from shared.verification.port import Finding

SCHEMA_VERSION = 1

Verdict = Literal["verified", "verified_with_warnings", "rejected"]
Outcome = Literal["passed", "warned", "failed", "not_applicable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One part of a verification; `summary` is one sentence, `not_applicable` says why nothing was tried."""

    name: str
    summary: str
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    not_applicable: bool = False

    @property
    def outcome(self) -> Outcome:
        """How it ended, by the gravest finding."""
        severities = {finding.severity for finding in self.findings}
        if "failure" in severities:
            return "failed"
        if "warning" in severities:
            return "warned"
        return "not_applicable" if self.not_applicable else "passed"

    def form(self) -> dict[str, Any]:
        """The stage as JSON."""
        return {
            "stage": self.name,
            "outcome": self.outcome,
            "summary": self.summary,
            "findings": [finding.form() for finding in self.findings],
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All that was found out; `config` is what the bot ran with, `checkers` the versions of what judged."""

    artifacts_sha256: str
    config: Mapping[str, Any] = field(hash=False)
    stages: tuple[Stage, ...]
    checkers: Mapping[str, str] = field(hash=False)
    isolation: str
    started_at: datetime
    ended_at: datetime

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all stages, in their order."""
        return tuple(finding for stage in self.stages for finding in stage.findings)

    @property
    def verdict(self) -> Verdict:
        """By the gravest finding."""
        outcomes = {stage.outcome for stage in self.stages}
        if "failed" in outcomes:
            return "rejected"
        return "verified_with_warnings" if "warned" in outcomes else "verified"

    def form(self) -> dict[str, Any]:
        """The record as JSON, not signed yet."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "reasons": [one.message for one in self.findings if one.severity != "note"],
            "artifacts_sha256": self.artifacts_sha256,
            "config": dict(self.config),
            "stages": [stage.form() for stage in self.stages],
            "checkers": dict(self.checkers),
            "isolation": self.isolation,
            "started_at": to_wire(self.started_at),
            "ended_at": to_wire(self.ended_at),
        }
