"""Faults and doubtful code by oxlint, run over copies of the files in a folder of their own.

Suppression comments are not honoured: the code comes from a model or a stranger, and the reader decides.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.analysis.diffs import diff, lines_of
from shared.analysis.javascript.node import PACKAGES, run_node
from shared.analysis.refusals import unchecked
from shared.analysis.report import Category, Finding, Severity
from shared.analysis.source import SourceFile

_OXLINT = PACKAGES / "oxlint" / "bin" / "oxlint"
_CONFIG = Path(__file__).parent / "oxlint.json"
_DIRECTIVE = re.compile(r"\b((?:es|ox)lint)-(disable|enable)|@ts-(?=ignore|nocheck|expect-error)")
_SECURITY: dict[str, Severity] = {
    "no-eval": "high",
    "no-new-func": "high",
    "no-implied-eval": "high",
    "no-script-url": "medium",
}
_SEVERITY_OF: dict[str, Severity] = {
    "no-undef": "high",
    "no-const-assign": "high",
    "no-unreachable": "medium",
    "no-unsafe-negation": "medium",
    "no-self-assign": "medium",
    "no-constant-condition": "medium",
    "no-async-promise-executor": "medium",
    "no-dupe-keys": "medium",
    "no-duplicate-case": "medium",
    "use-isnan": "high",
    "valid-typeof": "medium",
    "no-unsafe-finally": "medium",
    "const-comparisons": "medium",
    "no-unused-vars": "info",
    "no-var": "info",
    "prefer-const": "info",
}
# Fixes of one place that change no behaviour; oxlint holds more for safe, among them the removal of an await.
FIXED = ("no-var", "prefer-const", "no-extra-boolean-cast", "no-useless-rename", "prefer-as-const",
         "no-extra-non-null-assertion", "use-isnan")  # fmt: skip
_ENDINGS = {"module": "m", "commonjs": "c"}


def check_lint(
    files: tuple[SourceFile, ...], types: Mapping[str, str], *, deadline: float
) -> Iterator[Finding]:
    """What oxlint says of files that parse; `types` tells whether a file is a `module` or `commonjs`."""
    with TemporaryDirectory(prefix="lint-") as made:
        folder = Path(made)
        names = {f"f{n}.{_ENDINGS[types[s.name]]}{s.name[-2:].lower()}": s for n, s in enumerate(files)}
        for copy, source in names.items():
            (folder / copy).write_text(_quiet(source.text), encoding="utf-8", newline="")
        found = _run(folder, deadline=deadline)
        if found is None:
            yield from (unchecked(s.name, "oxlint took too long or said too much") for s in files)
            return
        findings = [_finding(names[Path(one["filename"]).name], one) for one in found]
        if any(f.rule in FIXED for f in findings):
            _run(folder, *_fixing(), deadline=deadline)
            after = {s.name: (folder / copy).read_bytes().decode("utf-8") for copy, s in names.items()}
            findings = _with_fixes(findings, files, after)
        yield from findings


def _quiet(text: str) -> str:
    """The text with the linter's own directives made of no effect, each character at its place."""
    return _DIRECTIVE.sub(lambda match: match[0].replace("-", "_"), text)


def _run(folder: Path, *options: str, deadline: float) -> list[dict[str, Any]] | None:
    """Oxlint's diagnostics, None when it did not come to its own end."""
    arguments = ["--format", "json", "--threads", "1", "--disable-nested-config", "--no-ignore"]
    config = () if options else ("--config", str(_CONFIG))
    output, code = run_node(
        _OXLINT,
        *arguments,
        *config,
        *options,
        ".",
        folder=folder,
        timeout=max(0.0, deadline - time.monotonic()),
    )
    if code not in (0, 1):
        return None
    try:
        return list(json.loads(output)["diagnostics"])
    # Cut at the limit of output, or not JSON at all.
    except ValueError:
        return None


def _fixing() -> list[str]:
    return ["--fix", "-A", "all", *(part for rule in FIXED for part in ("-D", rule))]


def _finding(source: SourceFile, found: dict[str, Any]) -> Finding:
    code = re.search(r"\((.+)\)", str(found.get("code", "")))
    rule = code[1] if code else "oxlint"
    category, severity = _kind(rule)
    line, column = _place(source.text, found.get("labels") or [])
    help_text = " ".join(str(found.get("help") or "").split())[:160]
    return Finding(
        category=category,
        severity=severity,
        file=source.name,
        line=line,
        column=column,
        rule=rule,
        message=" ".join(str(found["message"]).split())[:160],
        advice=help_text or "Rewrite the line as the message says.",
    )


def _kind(rule: str) -> tuple[Category, Severity]:
    if rule in _SECURITY:
        return "security", _SECURITY[rule]
    if rule == "oxlint":
        # Oxlint refused what the parser took: not a clean result.
        return "security", "high"
    return "style", _SEVERITY_OF.get(rule, "low")


def _place(text: str, labels: list[dict[str, Any]]) -> tuple[int, int]:
    """The line and column, in characters, of the first label, whose column counts bytes."""
    span = labels[0]["span"] if labels else {"line": 1, "column": 1}
    row, column = int(span.get("line", 1)), int(span.get("column", 1))
    lines = lines_of(text)
    line = lines[row - 1] if row <= len(lines) else ""
    return row, len(line.encode("utf-8")[: column - 1].decode("utf-8", "replace")) + 1


def _with_fixes(
    findings: list[Finding], files: tuple[SourceFile, ...], after: Mapping[str, str]
) -> list[Finding]:
    """The findings with the changes that oxlint made to their lines, where a line has only one of them.

    Each fix of `FIXED` stays within its line, so that a changed line stands by itself.
    """
    before = {source.name: lines_of(source.text) for source in files}
    fixable = [(f.file, f.line) for f in findings if f.rule in FIXED]
    fixed = []
    for finding in findings:
        old, new = before[finding.file], lines_of(after[finding.file])
        at = finding.line - 1
        alone = finding.rule in FIXED and fixable.count((finding.file, finding.line)) == 1
        if not alone or len(old) != len(new) or _DIRECTIVE.search(old[at]) or old[at] == new[at]:
            fixed.append(finding)
            continue
        text = "".join([*old[:at], new[at], *old[at + 1 :]])
        fixed.append(replace(finding, fix=diff(finding.file, "".join(old), text)))
    return fixed
