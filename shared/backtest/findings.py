"""What a check says: how bad, in words, and the evidence that a reader can check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

# A finding makes a backtest unbelievable; a warning is a weakness; a note is what a reader should know.
Severity = Literal["finding", "warning", "note", "passed"]

SEVERITIES: tuple[Severity, ...] = ("finding", "warning", "note", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The outcome of one check; `evidence` is JSON."""

    check: str
    title: str
    severity: Severity
    message: str
    evidence: dict[str, Any] = field(default_factory=dict, hash=False)

    def form(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "check": self.check,
            "title": self.title,
            "severity": self.severity,
            "message": self.message,
            "evidence": self.evidence,
        }


def worst(results: tuple[CheckResult, ...]) -> Severity:
    """The gravest severity among them."""
    return min((one.severity for one in results), key=SEVERITIES.index, default="passed")
