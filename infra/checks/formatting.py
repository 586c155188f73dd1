"""Whether files stand as `terraform fmt` writes them: indentation, aligned `=` and comments, single spaces.

Terraform's own program is not on every machine that checks. This follows its rules for what files of ours
hold; block comments (`/* */`) are not among that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from infra.checks.problem import Problem

_HEREDOC = re.compile(r"<<-?(\w+)$")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_OPERATOR = r"(?:=>|&&|\|\||[=!<>]=|\?|:)"
# A string's characters are masked by this, so that what stands in it is not taken for code.
_MASK = "\x00"
_SPACING = (
    (re.compile(r"\S  +\S"), "several spaces"),
    (re.compile(r",[^\s\n]"), "no space after a comma"),
    (re.compile(r"\s,"), "a space before a comma"),
    (re.compile(r"[\[(] +\S"), "a space after an opening bracket"),
    (re.compile(r"\S +[\])]"), "a space before a closing bracket"),
    (re.compile(r"\{[^\s}]|[^\s{]\}"), "no space inside braces"),
    (re.compile(r"[\w\"]\{"), "no space before {"),
    (re.compile(rf"[^\s=]{_OPERATOR}|{_OPERATOR}[^\s=>]"), "no space beside an operator"),
    (re.compile(r"[^\s=!<>]=|=[^\s=>]"), "no space beside ="),
)


@dataclass(slots=True)
class _Line:
    """A line in its cells: what stands before `=`, from it on, and a comment at its end."""

    number: int
    text: str
    change: int = 0
    lead: str = ""
    assigned: str = ""
    comment: str = ""
    kept: bool = False
    faults: list[str] = field(default_factory=list)


@cache
def check_format(text: str, shown: str) -> tuple[Problem, ...]:
    """The lines that `terraform fmt` would change."""
    return tuple(_changed(text, shown))


def _changed(text: str, shown: str) -> Iterator[Problem]:
    lines = _lines(text)
    _indent(lines)
    for cells in _runs(lines, lambda line: bool(line.assigned)):
        width = max(len(line.lead) for line in cells)
        for line in cells:
            line.lead = line.lead.ljust(width) + " "
    for cells in _runs(lines, lambda line: bool(line.comment and (line.lead.strip() or line.assigned))):
        width = max(len(line.lead + line.assigned) for line in cells)
        for line in cells:
            line.comment = " " * (width - len(line.lead + line.assigned) + 1) + line.comment
    for line in lines:
        formatted = line.text if line.kept else (line.lead + line.assigned + line.comment)
        where = f"{shown}:{line.number}"
        if formatted != line.text:
            yield Problem(where, f"terraform fmt writes {formatted!r}")
        for fault in line.faults:
            yield Problem(where, f"terraform fmt: {fault}")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield Problem(f"{shown}:{len(lines)}", "terraform fmt: the file ends with one newline")


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    end = ""
    for number, written in enumerate(text.split("\n"), 1):
        line = _Line(number, written)
        lines.append(line)
        if end:
            line.kept = True
            end = "" if written.strip() == end else end
            continue
        heredoc = _cells(line)
        end = heredoc or ""
    return lines


def _cells(line: _Line) -> str | None:
    """Fills in a line's cells; the end word of a heredoc that begins in it."""
    # What stands after a comment's last word is left.
    stripped = line.text.lstrip()
    code, line.comment = _masked(stripped)
    line.change = _change(code)
    body, code = stripped[: len(code)].rstrip(), code.rstrip()
    line.lead = body
    equals = re.search(r"(?<![=!<>])=(?![=>])", code)
    if equals is not None and equals.start() > 0 and "{" not in code[: equals.start()]:
        left, right = body[: equals.start()].rstrip(), body[equals.end() :].strip()
        line.lead = f"{left} = {right}"
        if _change(code[equals.start() :]) == 0:
            line.lead, line.assigned = left, f"= {right}"
        code = f"{code[: equals.start()].rstrip()} = {code[equals.end() :].strip()}"
    line.faults = [fault for pattern, fault in _SPACING if pattern.search(code)]
    found = _HEREDOC.search(code)
    return found[1] if found else None


def _change(code: str) -> int:
    """How many brackets are open more than before."""
    return sum(_BRACKETS.get(sign, 0) for sign in code)


def _masked(text: str) -> tuple[str, str]:
    """The code with its strings masked, and the comment at its end."""
    made: list[str] = []
    depth: list[int] = []
    quoted = False
    for index, sign in enumerate(text):
        before = text[index - 1] if index else ""
        if quoted:
            if sign == "{" and before == "$" and text[index - 2 : index] != "$$":
                depth.append(1)
                quoted = False
            elif sign == '"' and not _escaped(text, index):
                quoted = False
                if not depth:
                    made.append('"')
                    continue
            made.append(_MASK)
            continue
        if not depth and (sign == "#" or text.startswith("//", index)):
            return "".join(made), text[index:]
        if sign == '"':
            quoted = True
        elif depth and sign in "{}":
            depth[-1] += 1 if sign == "{" else -1
            if depth[-1] == 0:
                depth.pop()
                quoted = True
        made.append(_MASK if depth or (quoted and sign != '"') else sign)
    return "".join(made), ""


def _escaped(text: str, index: int) -> bool:
    slashes = len(text[:index]) - len(text[:index].rstrip("\\"))
    return slashes % 2 == 1


def _indent(lines: list[_Line]) -> None:
    opened: list[int] = []
    for line in lines:
        if line.kept or not line.text.strip():
            continue
        if line.change < 0:
            _close(opened, -line.change)
        indent = "  " * len(opened)
        if line.lead:
            line.lead = indent + line.lead
        else:
            line.comment = indent + line.comment
        if line.change > 0:
            opened.append(line.change)


def _close(opened: list[int], closed: int) -> None:
    while closed > 0 and opened:
        if closed < opened[-1]:
            opened[-1] -= closed
            return
        closed -= opened.pop()


def _runs(lines: list[_Line], belongs: Callable[[_Line], bool]) -> Iterator[list[_Line]]:
    run: list[_Line] = []
    for line in [*lines, _Line(0, "")]:
        # A text in several lines is one line to Terraform.
        if line.kept:
            continue
        if belongs(line):
            run.append(line)
        elif run:
            yield run
            run = []
