"""The checks of Python code: each file is parsed once, and the checks run over what parses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from shared.analysis.port import Analysis
from shared.analysis.python import complexity, lint, security
from shared.analysis.python.literals import check_literals
from shared.analysis.python.parsing import PythonFile, parse
from shared.analysis.python.trading.rules import check_trading
from shared.analysis.refusals import unchecked
from shared.analysis.report import Finding, Metrics
from shared.analysis.source import SourceFile

FileCheck = Callable[[PythonFile], Iterable[Finding]]

CHECKS: tuple[FileCheck, ...] = (security.check_security, lint.check_lint, check_literals)


def check_python(files: tuple[SourceFile, ...], *, deadline: float) -> Analysis:
    """All findings; a file that does not parse has that one finding and takes no part in the rest."""
    findings: list[Finding] = []
    metrics = Metrics()
    parsed: list[PythonFile] = []
    for source in files:
        if time.monotonic() > deadline:
            findings.append(unchecked(source.name, "the time for the analysis was over"))
            continue
        outcome = parse(source)
        if isinstance(outcome, Finding):
            findings.append(outcome)
            metrics = metrics.joined(Metrics(lines=len(source.text.splitlines())))
            continue
        parsed.append(outcome)
        findings.extend(_check(outcome))
        metrics = metrics.joined(_measure(outcome, findings))
    findings.extend(check_trading(tuple(parsed)))
    return Analysis(findings=tuple(findings), metrics=metrics)


def _check(file: PythonFile) -> list[Finding]:
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings.extend(check(file))
        # The linters read the text for themselves, and may refuse what the parser took.
        except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
            findings.append(unchecked(file.name, f"a check ended with {type(error).__name__}"))
    return findings


def _measure(file: PythonFile, findings: list[Finding]) -> Metrics:
    if file.is_test:
        return Metrics()
    try:
        measured = complexity.measure(file)
    except RecursionError:
        findings.append(unchecked(file.name, "the code is nested too deeply to measure"))
        return Metrics()
    findings.extend(measured.findings)
    return measured.metrics
