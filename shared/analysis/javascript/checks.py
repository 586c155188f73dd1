"""The checks of JavaScript and TypeScript: our rules first, then oxlint over what parses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from shared.analysis.complexity import COMPLEX, complex_function, unmaintainable
from shared.analysis.javascript.lint import check_lint
from shared.analysis.javascript.node import missing
from shared.analysis.javascript.rules import run_rules
from shared.analysis.port import Analysis
from shared.analysis.refusals import too_big, unchecked
from shared.analysis.report import Finding, Metrics
from shared.analysis.source import SourceFile


def check_javascript(files: tuple[SourceFile, ...], *, deadline: float) -> Analysis:
    """All findings; a file that does not parse has that one finding and takes no part in the rest."""
    lines = Metrics(lines=sum(len(s.text.splitlines()) for s in files if not s.is_test))
    reason = missing() or ("the time for the analysis was over" if time.monotonic() > deadline else "")
    if reason:
        return Analysis(findings=tuple(unchecked(s.name, reason) for s in files), metrics=lines)
    findings = [refused for s in files if (refused := too_big(s) or _not_unicode(s))]
    left = tuple(s for s in files if s.name not in {f.file for f in findings})
    outcome = run_rules(left, deadline=deadline)
    findings.extend(outcome.findings)
    parsed = tuple(s for s in left if s.name in outcome.parsed)
    if parsed:
        types = {name: str(facts["sourceType"]) for name, facts in outcome.parsed.items()}
        findings.extend(check_lint(parsed, types, deadline=deadline))
    metrics = lines
    for name, facts in outcome.parsed.items():
        if facts["metrics"]:
            metrics = metrics.joined(_measured(facts["metrics"]))
            findings.extend(_complexity(name, facts["metrics"]))
    return Analysis(findings=tuple(findings), metrics=metrics)


def _not_unicode(source: SourceFile) -> Finding | None:
    """The finding for a text with half a character, which node would read as another one."""
    try:
        source.text.encode("utf-8")
    except UnicodeEncodeError:
        return unchecked(source.name, "the text is not valid Unicode")
    return None


def _measured(facts: dict[str, Any]) -> Metrics:
    complexities = [int(function["complexity"]) for function in facts["functions"]]
    return Metrics(
        functions=len(complexities),
        max_complexity=max(complexities, default=0),
        maintainability=round(_maintainability(facts), 1),
    )


def _maintainability(facts: dict[str, Any]) -> float:
    """Radon's index, as for Python, from the counts of the rules' script."""
    # radon ships no types.
    from radon.metrics import mi_compute  # type: ignore[import-untyped]

    statements = max(1, int(facts["statements"]))
    complexity = sum(int(function["complexity"]) for function in facts["functions"])
    comments = min(100.0, 100 * int(facts["commentLines"]) / statements)
    return float(mi_compute(float(facts["volume"]), complexity, statements, comments))


def _complexity(name: str, facts: dict[str, Any]) -> Iterator[Finding]:
    for function in facts["functions"]:
        if function["complexity"] > COMPLEX:
            yield complex_function(
                name, function["name"], function["line"], function["column"], function["complexity"]
            )
    yield from unmaintainable(name, _maintainability(facts))
