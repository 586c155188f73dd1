"""Runs our own rules (the folder rules/) over the files in node, which parses each once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.analysis.javascript.node import run_node
from shared.analysis.refusals import syntax_error, unchecked
from shared.analysis.report import Finding
from shared.analysis.secret_shapes import is_secret_name, looks_secret
from shared.analysis.secrets import secret
from shared.analysis.source import SourceFile

_MAIN = Path(__file__).parent / "rules" / "main.mjs"
# A file that ends the parser is set aside, and the rest is read again; more of them are an attack.
_MOST_CRASHES = 3


@dataclass(slots=True)
class Outcome:
    """What the rules found; `parsed` maps the files that parse to what is known of them."""

    findings: list[Finding] = field(default_factory=list)
    parsed: dict[str, dict[str, Any]] = field(default_factory=dict)


def run_rules(files: tuple[SourceFile, ...], *, deadline: float) -> Outcome:
    """All findings of our rules, and the facts of the files that parse."""
    refused: list[Finding] = []
    left = list(files)
    for _ in range(_MOST_CRASHES):
        lines = _run(left, deadline)
        if any("done" in line for line in lines):
            outcome = _outcome(lines)
            outcome.findings.extend(refused)
            return outcome
        reading = [line["reading"] for line in lines if "reading" in line]
        if not reading or reading[-1] is None:
            break
        refused.append(unchecked(reading[-1], "the code is nested too deeply to be read"))
        left = [source for source in left if source.name != reading[-1]]
    rest = [unchecked(source.name, "the rules took too long or said too much") for source in left]
    return Outcome(findings=[*refused, *rest])


def _run(files: Iterable[SourceFile], deadline: float) -> list[dict[str, Any]]:
    given = [{"name": s.name, "text": s.text, "isTest": s.is_test} for s in files]
    left = max(0.0, deadline - time.monotonic())
    output, _ = run_node(_MAIN, data=json.dumps(given).encode("ascii"), timeout=left)
    return [json.loads(line) for line in output.splitlines(keepends=True) if line.endswith(b"\n")]


def _outcome(lines: list[dict[str, Any]]) -> Outcome:
    outcome = Outcome()
    for line in lines:
        match line:
            case {"syntax": {"file": name, "message": problem, "line": row, "column": column}}:
                outcome.findings.append(syntax_error(name, problem, row, column))
            case {"unchecked": {"file": name, "reason": reason}}:
                outcome.findings.append(unchecked(name, reason))
            case {"file": {"name": name, "literals": literals} as facts}:
                outcome.parsed[name] = facts
                outcome.findings.extend(_secrets(name, literals))
            case {"findings": findings}:
                outcome.findings.extend(Finding(**found) for found in findings)
    return outcome


def _secrets(file: str, literals: list[dict[str, Any]]) -> Iterator[Finding]:
    """A finding for each random-looking literal that is bound to the name of a credential."""
    for literal in literals:
        name = literal["name"]
        if is_secret_name(name) and looks_secret(name, literal["value"]):
            yield secret(file, literal["line"], literal["column"], f"the value of {name[:40]}")
