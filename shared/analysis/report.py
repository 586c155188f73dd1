"""What an analysis says: findings, metrics and the report that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Category = Literal["syntax", "security", "secret", "trading", "style", "complexity", "performance"]
Severity = Literal["critical", "high", "medium", "low", "info"]

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at one place; `line` and `column` count from 1.

    `message` says what is there and never repeats a secret; `advice` says what to do about it. `fix` is a
    unified diff of the file that does it, empty where none is safe.
    """

    category: Category
    severity: Severity
    file: str
    line: int
    column: int = 1
    rule: str
    message: str
    advice: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Size and complexity of the code, its tests left out.

    `lines` are all lines of the files. `max_complexity` is the cyclomatic complexity of the most complex
    function (0 when there is none). `maintainability` is the lowest maintainability index of a file, 0..100.
    """

    lines: int = 0
    functions: int = 0
    max_complexity: int = 0
    maintainability: float = 100.0

    def joined(self, other: Metrics) -> Metrics:
        """The metrics of both sets of files together."""
        return Metrics(
            lines=self.lines + other.lines,
            functions=self.functions + other.functions,
            max_complexity=max(self.max_complexity, other.max_complexity),
            maintainability=min(self.maintainability, other.maintainability),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome for a set of files.

    `quality_score` is 0..100 by the formula of score.py. `files` are those whose code was analysed, `skipped`
    those of no supported language, which were searched for secrets only. `findings` are all there are, worst
    first, then by file and line.
    """

    quality_score: int
    language: str
    files: tuple[str, ...]
    skipped: tuple[str, ...]
    findings: tuple[Finding, ...]
    metrics: Metrics

    @property
    def security_issues(self) -> tuple[Finding, ...]:
        """Findings on security and secrets that are more than a remark."""
        return tuple(
            f for f in self.findings if f.category in ("security", "secret") and f.severity != "info"
        )

    @property
    def optimizations(self) -> tuple[Finding, ...]:
        """Findings on style and complexity: what would make the code simpler."""
        return tuple(f for f in self.findings if f.category in ("style", "complexity"))

    @property
    def performance_tips(self) -> tuple[Finding, ...]:
        """Findings on what costs time."""
        return tuple(f for f in self.findings if f.category == "performance")


def order(finding: Finding) -> tuple[int, str, int, int, str]:
    """The sort key of findings: worst first, then file, line, column, rule."""
    return (SEVERITIES.index(finding.severity), finding.file, finding.line, finding.column, finding.rule)
