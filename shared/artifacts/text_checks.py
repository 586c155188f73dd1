"""Credentials, dangerous calls and ways out of the sandbox in one text, by the rules of shared/analysis.

A finding is a dict as artifacts carry them: rule, severity (critical or high), line, message, advice.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.artifacts.suspects import may_be_dangerous, may_escape, may_name_secret, suspect_lines

if TYPE_CHECKING:
    from shared.analysis.report import Finding
    from shared.analysis.source import SourceFile

KEPT_SEVERITIES = ("critical", "high")
_CHUNK_CHARS = 200_000
_MAX_CHARS = 8_000_000
_NODE_SECONDS = 10.0

_PYTHON = (".py", ".pyi")
_NODE = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts")
_OTHER_CODE = (".rs", ".cpp", ".hpp", ".cc", ".h", ".cs", ".scala", ".hs", ".go", ".java", ".jsx", ".tsx")
CODE = (*_PYTHON, *_NODE, *_OTHER_CODE, ".sh", ".bash")
_BOUND = re.compile(
    r"""(?P<name>[A-Za-z_]\w{2,60})["']?\]?\s*(?::\s*&?[\w']*\s*)?(?::|=)+\s*["'`](?P<value>[^"'`]{8,4096})["'`]"""
)
_ESCAPE = re.compile(
    r"(?:docker|containerd)\.sock|/proc/(?:1|self)/(?:root|mem|environ|exe)\b|__subclasses__\s*\(|\brelease_agent\b"
    r"|\bnsenter\b"
)
# Bandit's rules on code from text, loaders that run it, and shells.
_RUNS_CODE = re.compile(r"B(?:102|30[127]|6\d\d)")
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*|--)")


def may_hold_findings(filename: str, text: str) -> bool:
    """Whether the scanners are to be asked at all: when not, `findings_in` finds nothing."""
    lower, lowered = filename.lower(), text.lower()
    is_code = lower.endswith(CODE)
    if suspect_lines(text, lowered, settings=not is_code):
        return True
    return is_code and (may_name_secret(text, lowered) or may_escape(lowered) or may_be_dangerous(lowered))


def findings_in(filename: str, text: str) -> Iterator[dict[str, Any]]:
    """What is worth keeping or refusing in the text, one finding a rule and line."""
    seen: set[tuple[str, int]] = set()
    lower, lowered = filename.lower(), text.lower()
    for finding in (*_secrets(filename, text, lowered), *_dangers(lower, text, lowered)):
        place = (finding["rule"], finding["line"])
        if place not in seen:
            seen.add(place)
            yield finding


def _secrets(filename: str, text: str, lowered: str) -> Iterator[dict[str, Any]]:
    from shared.analysis.secrets import find_secrets
    from shared.analysis.source import SourceFile

    suspects = suspect_lines(text, lowered, settings=not filename.lower().endswith(CODE))
    lines = text.splitlines() if suspects else []
    for chunk in _chunks(lines, suspects):
        # In a document a setting may stand between backticks.
        joined = "\n".join(lines[index] for index in chunk).replace("`", " ")
        for found in find_secrets((SourceFile(name=filename, text=joined),)):
            yield _secret(chunk[found.line - 1] + 1, found.message)
    if sum(len(lines[index]) for index in suspects) > _MAX_CHARS:
        yield finding_of(
            "not-checked", "high", "Too long to be checked whole.", "Split it into smaller files."
        )
    yield from _bound_secrets(filename, text, lowered)


def _chunks(lines: list[str], suspects: list[int]) -> Iterator[list[int]]:
    """The lines in portions that the scanner takes whole, up to a bound."""
    chunk: list[int] = []
    size = whole = 0
    for index in suspects:
        length = len(lines[index]) + 1
        if chunk and size + length > _CHUNK_CHARS:
            yield chunk
            chunk, size = [], 0
        if (whole := whole + length) > _MAX_CHARS:
            break
        chunk.append(index)
        size += length
    if chunk:
        yield chunk


def _bound_secrets(filename: str, text: str, lowered: str) -> Iterator[dict[str, Any]]:
    """Literals of code bound to the name of a credential."""
    lower = filename.lower()
    if not lower.endswith(CODE) or not may_name_secret(text, lowered):
        return
    if lower.endswith(_PYTHON):
        yield from _python_literals(filename, text)
    elif lower.endswith(_NODE):
        yield from (found for found in _node_findings(filename, text) if found["rule"] == "secret-in-code")
    from shared.analysis.secret_shapes import is_secret_name, looks_secret

    if not lower.endswith(_PYTHON):
        for number, line in enumerate(text.splitlines(), start=1):
            for match in _BOUND.finditer(line[:_CHUNK_CHARS]):
                if is_secret_name(match["name"]) and looks_secret(match["name"], match["value"]):
                    yield _secret(number, "")


def _python_literals(filename: str, text: str) -> Iterator[dict[str, Any]]:
    from shared.analysis.python.literals import check_literals
    from shared.analysis.python.parsing import parse
    from shared.analysis.report import Finding

    parsed = parse(_source(filename, text))
    if isinstance(parsed, Finding):
        if parsed.category == "security":
            yield from _kept(parsed)
        return
    for found in check_literals(parsed):
        yield _secret(found.line, found.message)


def _dangers(lower: str, text: str, lowered: str) -> Iterator[dict[str, Any]]:
    if not lower.endswith(CODE):
        return
    if may_escape(lowered):
        yield from _escapes(text)
    if not may_be_dangerous(lowered):
        return
    if lower.endswith(_PYTHON):
        yield from _python_dangers(lower, text)
    elif lower.endswith(_NODE):
        yield from (found for found in _node_findings(lower, text) if found["rule"] != "secret-in-code")


def _escapes(text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if _ESCAPE.search(line) and not _COMMENT.match(line):
            yield finding_of(
                "sandbox-escape",
                "critical",
                "Reaches for what is outside the sandbox.",
                "A bot needs its own files and the network only: take it out.",
                number,
            )


def _python_dangers(filename: str, text: str) -> Iterator[dict[str, Any]]:
    from shared.analysis.python.parsing import parse
    from shared.analysis.python.security import check_security
    from shared.analysis.report import Finding

    parsed = parse(_source(filename, text))
    if isinstance(parsed, Finding):
        if parsed.category == "security":
            yield from _kept(parsed)
        return
    try:
        for found in check_security(parsed):
            if _RUNS_CODE.fullmatch(found.rule):
                yield from _kept(found)
    # As the analysis does: the scanner reads the text for itself, and may refuse what the parser took.
    except (RecursionError, MemoryError, SyntaxError, ValueError):
        yield finding_of("not-checked", "high", "Not fully checked for dangerous calls.", "Split it up.")


def _node_findings(filename: str, text: str) -> Iterator[dict[str, Any]]:
    from shared.analysis.javascript.rules import run_rules

    outcome = run_rules((_source(filename, text),), deadline=time.monotonic() + _NODE_SECONDS)
    for found in outcome.findings:
        if found.category == "secret":
            yield _secret(found.line, found.message)
        elif found.category == "security":
            yield from _kept(found)


def _kept(found: Finding) -> Iterator[dict[str, Any]]:
    from shared.analysis.secret_shapes import without_secrets

    if found.severity in KEPT_SEVERITIES:
        message = without_secrets(found.message)
        yield finding_of(found.rule, found.severity, message, without_secrets(found.advice), found.line)


def _secret(line: int, message: str) -> dict[str, Any]:
    """The finding of a credential, by its kind; the name that a file gives it is the file's own text."""
    kind = message.partition(": ")[2].rstrip(".")
    if not kind or kind.startswith("the value of "):
        kind = "a random value under the name of a credential"
    return finding_of(
        "secret-in-code",
        "critical",
        f"Looks like a live credential: {kind}.",
        "Take it out, revoke it, and read it from the platform's secrets or the environment.",
        line,
    )


def finding_of(rule: str, severity: str, message: str, advice: str, line: int = 1) -> dict[str, Any]:
    """A finding as artifacts carry it."""
    return {"rule": rule, "severity": severity, "line": line, "message": message, "advice": advice}


def _source(filename: str, text: str) -> SourceFile:
    from shared.analysis.source import SourceFile

    return SourceFile(name=filename, text=text)
