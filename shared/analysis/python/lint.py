"""Faults, style and slow code by ruff, as a subprocess with bounded time, memory and output.

The bounds matter: with its default rules ruff printed 1.9 GB of JSON on 6 KB of chained assignments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from shared.analysis.diffs import Edit, patch
from shared.analysis.process import run_bounded
from shared.analysis.python.parsing import PythonFile
from shared.analysis.refusals import unchecked
from shared.analysis.report import Category, Finding, Severity

RULES = "E4,E7,E9,F,B,ASYNC,PERF,SIM1,C4,DTZ,PLE,RUF006,NPY"
_TIMEOUT = 5.0
_MAX_OUTPUT = 2 * 1024 * 1024

# First match counts; a rule of none of these is style and low.
_KINDS: tuple[tuple[tuple[str, ...], Category, Severity], ...] = (
    (("F70", "PLE0115", "PLE0116", "PLE0117", "PLE0118", "invalid-syntax"), "syntax", "critical"),
    (("F821", "F822", "F823", "PLE"), "style", "high"),
    (("F50", "F63", "F811"), "style", "medium"),
    (("ASYNC", "RUF006"), "performance", "medium"),
    (("PERF", "C4"), "performance", "low"),
    (("F401", "F541", "E401", "E402", "SIM", "B905"), "style", "info"),
    (("B006", "B008", "B023", "E722", "B012"), "style", "medium"),
)
_ADVICE = {
    "F70": "Move the statement into a function or loop.",
    "F821": "Define or import the name before it is used.",
    "F811": "Keep one of the two definitions.",
    "E722": "Name the exception you expect.",
    "B006": "Use None as the default and make the value inside the function.",
    "B023": "Bind the loop variable as a default argument.",
    "ASYNC": "Await the asynchronous twin of this call, or send it to asyncio.to_thread.",
    "RUF006": "Keep a reference to the task, or it may be collected before it ends.",
    "DTZ": "Pass a time zone, such as datetime.now(UTC): candles are in UTC.",
    "PERF": "Use a comprehension, or hoist the work out of the loop.",
    "NPY": "Use numpy's present interface, such as numpy.random.default_rng(seed).",
}


def check_lint(file: PythonFile) -> Iterator[Finding]:
    """What ruff says of the file with the rules chosen for bots."""
    output, whole = _run(file.text)
    for line in output.splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield _finding(file, json.loads(line))
    if not whole:
        yield unchecked(file.name, "ruff took too long or said too much", severity="medium")


def _run(text: str) -> tuple[bytes, bool]:
    """Ruff's output, one JSON object a line, and whether it came to its own end."""
    command = [_executable(), "check", "--isolated", "--no-cache", "--quiet", "--target-version", "py311"]
    command += ["--output-format", "json-lines", "--select", RULES, "--stdin-filename", "bot.py", "-"]
    output, code = run_bounded(command, text.encode("utf-8"), timeout=_TIMEOUT, max_output=_MAX_OUTPUT)
    # Ruff ends with 0 for no finding, 1 for findings; a kill before its end shows as another code.
    return output, code in (0, 1)


@cache
def _executable() -> str:
    # ruff ships no types.
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    return str(find_ruff_bin())


def _finding(file: PythonFile, found: dict[str, Any]) -> Finding:
    rule = str(found["code"] or "invalid-syntax")
    category, severity = _kind(rule)
    fix = found["fix"]
    message = " ".join(str(found["message"]).split())[:160]
    return Finding(
        category=category,
        severity=severity,
        file=file.name,
        line=int(found["location"]["row"]),
        column=int(found["location"]["column"]),
        rule=rule,
        message=message,
        advice=str(fix["message"])[:160] if fix and fix["message"] else _advice(rule),
        fix=_fix(file, fix) if fix else "",
    )


def _fix(file: PythonFile, fix: dict[str, Any]) -> str:
    """Ruff's own fix as a diff, when ruff holds it for safe; its places count from 1, in characters."""
    if fix["applicability"] != "safe":
        return ""
    edits = [
        Edit(
            start=(int(edit["location"]["row"]), int(edit["location"]["column"])),
            end=(int(edit["end_location"]["row"]), int(edit["end_location"]["column"])),
            text=str(edit["content"]),
        )
        for edit in fix["edits"]
    ]
    return patch(file.name, file.text, edits)


def _kind(rule: str) -> tuple[Category, Severity]:
    for prefixes, category, severity in _KINDS:
        if rule.startswith(prefixes):
            return category, severity
    return "style", "low"


def _advice(rule: str) -> str:
    for prefix, advice in _ADVICE.items():
        if rule.startswith(prefix):
            return advice
    return "Rewrite the line as the message says."
