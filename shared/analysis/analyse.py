"""Runs the analysers of all languages over a set of files and makes one report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from shared.analysis.diffs import apply
from shared.analysis.fixes import Fixes, tried
from shared.analysis.port import Analyser, Analysis
from shared.analysis.registry import ANALYSERS, analyser_for
from shared.analysis.report import Finding, Metrics, Report, order
from shared.analysis.score import quality_score
from shared.analysis.source import SourceFile

TIME_LIMIT = 20.0


def analyse_files(files: Mapping[str, str], *, time_limit: float = TIME_LIMIT) -> Report:
    """The report on these files (name to text) as one bot; blocks, so call it with `asyncio.to_thread`.

    Code is analysed by the language of its ending, every file is searched for secrets. Rules that ask for a
    guard or a limit look for it in all files together. Any text gives a report: a file that does not parse,
    is too big to check (256 KiB) or comes after `time_limit` seconds has a finding that says so. A fix is
    offered only after it was tried: applied, it brings no finding but remarks.
    """
    deadline = time.monotonic() + time_limit
    present, untried = _analysed(files, deadline)
    findings = tried(untried, lambda fixes: _analysed(_fixed(files, fixes), deadline)[1])
    metrics = reduce(Metrics.joined, (part.metrics for part in present.values()), Metrics())
    coded = tuple(name for name in sorted(files) if analyser_for(name) is not None)
    return Report(
        quality_score=quality_score(findings, max_complexity=metrics.max_complexity),
        language=", ".join(present) or "none",
        files=coded,
        skipped=tuple(name for name in sorted(files) if name not in coded),
        findings=findings,
        metrics=metrics,
    )


def _analysed(files: Mapping[str, str], deadline: float) -> tuple[dict[str, Analysis], tuple[Finding, ...]]:
    """What each language's analyser says, and all findings in order with the secrets in every file."""
    from shared.analysis.secrets import find_secrets

    sources = tuple(SourceFile(name=name, text=files[name]) for name in sorted(files))
    parts = {a.language: _of(a, sources, deadline) for a in ANALYSERS}
    present = {language: part for language, part in parts.items() if part is not None}
    found = [f for part in present.values() for f in part.findings]
    return present, _without_repeats([_redacted(f) for f in (*found, *find_secrets(sources))])


def _fixed(files: Mapping[str, str], fixes: Fixes) -> dict[str, str]:
    """The files to which there are fixes applied, among the others: rules may look at all together."""
    return {name: apply(text, fixes.get(name, ())) for name, text in files.items()}


def _of(analyser: Analyser, sources: tuple[SourceFile, ...], deadline: float) -> Analysis | None:
    mine = tuple(s for s in sources if analyser_for(s.name) is analyser)
    return analyser.analyse(mine, deadline=deadline) if mine else None


def _redacted(finding: Finding) -> Finding:
    """The finding without what a linter quoted of the code, when that might be a credential."""
    from shared.analysis.secret_shapes import without_secrets

    return replace(finding, message=without_secrets(finding.message), advice=without_secrets(finding.advice))


def _without_repeats(findings: list[Finding]) -> tuple[Finding, ...]:
    """In order, and one of those that name the same rule at the same line."""
    first: dict[tuple[str, int, str], Finding] = {}
    for finding in sorted(findings, key=order):
        first.setdefault((finding.file, finding.line, finding.rule), finding)
    return tuple(first.values())
