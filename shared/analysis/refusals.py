"""How much of a file is checked, and the findings for what is not: silence is no clean result."""

from __future__ import annotations

import re

from shared.analysis.report import Finding, Severity
from shared.analysis.source import SourceFile

MAX_BYTES = 256 * 1024
MAX_TOKENS = 80_000

_TOKEN = re.compile(r"\w+|[^\w\s]|\n")


def too_big(source: SourceFile) -> Finding | None:
    """The finding for a file over the bounds of size, None when it is within them."""
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return unchecked(source.name, f"the file is over {MAX_BYTES // 1024} KiB")
    if sum(1 for _ in _TOKEN.finditer(source.text)) > MAX_TOKENS:
        return unchecked(source.name, f"the file has over {MAX_TOKENS:,} tokens")
    return None


def unchecked(name: str, reason: str, *, severity: Severity = "high") -> Finding:
    """The finding for a file that was not fully checked."""
    return Finding(
        category="security",
        severity=severity,
        file=name,
        line=1,
        rule="not-checked",
        message=f"Not fully checked: {reason}.",
        advice="Split the code into small, plain files and analyse again.",
    )


def syntax_error(name: str, problem: str, line: int | None, column: int | None) -> Finding:
    """The finding for a file that does not parse, at the place the parser names."""
    return Finding(
        category="syntax",
        severity="critical",
        file=name,
        line=max(1, line or 1),
        column=max(1, column or 1),
        rule="syntax-error",
        message=f"Does not parse: {problem.rstrip('.')[:120]}.",
        advice="Correct the syntax at this line first; the other checks of the file wait for it.",
    )
