"""Unified diffs of one file: made from edits or two texts, taken apart, and applied."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.analysis.secret_shapes import without_secrets

MAX_DIFF = 600
_CONTEXT = 1
_NO_NEWLINE = "\\ No newline at end of file\n"
_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Text that takes the place of what stands from `start` up to `end`, both (line, column) from 1."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Lines that take the place of others, which begin at `start`, counted from 0."""

    start: int
    old: list[str]
    new: list[str]

    @property
    def end(self) -> int:
        """The place of the line after the old ones."""
        return self.start + len(self.old)


def patch(name: str, text: str, edits: Sequence[Edit]) -> str:
    """The edits as a unified diff of the file; empty as for `diff`."""
    lines = [*lines_of(text), ""]
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        (row, column), (end_row, end_column) = edit.start, edit.end
        if end_row > len(lines):
            return ""
        head, tail = lines[row - 1][: column - 1], lines[end_row - 1][end_column - 1 :]
        lines = [*lines_of("".join([*lines[: row - 1], head, edit.text, tail, *lines[end_row:]])), ""]
    return diff(name, text, "".join(lines))


def diff(name: str, before: str, after: str) -> str:
    """The unified diff from one text to the other.

    Empty when it would have over `MAX_DIFF` characters, show what may be a credential, or be in doubt:
    linters end a line at a lone carriage return, diffs do not.
    """
    if not name.isprintable() or re.search(r"\r(?!\n)|[\0\ud800-\udfff]", before + after):
        return ""
    rows = difflib.unified_diff(lines_of(before), lines_of(after), f"a/{name}", f"b/{name}", n=_CONTEXT)
    made = "".join(row if row.endswith("\n") else f"{row}\n{_NO_NEWLINE}" for row in rows)
    return made if len(made) <= MAX_DIFF and without_secrets(made) == made else ""


def apply(text: str, diffs: Iterable[str]) -> str:
    """The text with these diffs applied, each of which is of this text.

    Raises:
        ValueError: a diff does not fit the text, or two change the same line.
    """
    lines = lines_of(text)
    changes = sorted((change for one in diffs for change in changes_of(one)), key=lambda c: c.start)
    for change in reversed(changes):
        if lines[change.start : change.end] != change.old:
            raise ValueError("the diff does not fit the text")
        lines[change.start : change.end] = change.new
    if any(one.end > other.start for one, other in pairwise(changes)):
        raise ValueError("two diffs change the same line")
    return "".join(lines)


def changes_of(made: str) -> list[Hunk]:
    """The hunks of a diff without the lines around that stay."""
    return [_trimmed(hunk) for hunk in hunks_of(made)]


def hunks_of(made: str) -> list[Hunk]:
    """The hunks of a diff, the lines around included."""
    found: list[tuple[int, list[tuple[str, str]]]] = []
    for row in lines_of(made):
        header = _HEADER.match(row)
        if header:
            # A hunk without old lines names the line before it.
            found.append((int(header[1]) - (header[2] != "0"), []))
        elif found and row == _NO_NEWLINE:
            sign, line = found[-1][1].pop()
            found[-1][1].append((sign, line.removesuffix("\n")))
        elif found:
            found[-1][1].append((row[0], row[1:]))
    return [
        Hunk(
            start=start,
            old=[line for sign, line in rows if sign != "+"],
            new=[line for sign, line in rows if sign != "-"],
        )
        for start, rows in found
    ]


def lines_of(text: str) -> list[str]:
    """The lines with their ends; `splitlines` would also split at form feeds."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _trimmed(hunk: Hunk) -> Hunk:
    start, old, new = hunk.start, hunk.old, hunk.new
    while old and new and old[0] == new[0]:
        start, old, new = start + 1, old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return Hunk(start=start, old=old, new=new)
