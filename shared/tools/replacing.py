"""Exact search and replace in a text: line endings kept, and what is nearly there shown when nothing fits.

Line endings: search and replacement may write either `\\n` or `\\r\\n`; matching sees `\\n` alone, and each
new line ends as the lines that it replaces did.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ToolInputError

_ENDING = re.compile(r"\r?\n")
# Places told of; also bounds the search in a text that repeats itself.
_MATCHES = 20
_DIFF_CHARS = 4000
_LINE_CHARS = 160
_NEAR_LINES = 5000
_NEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """One edit; `near_line` (from 1) says which place is meant when there are several."""

    search: str
    replace: str
    near_line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """The whole new text, and a unified diff to it of at most about 4,000 characters."""

    text: str
    diff: str


def replace_all(text: str, replacements: Sequence[Replacement]) -> Replaced:
    """The text with all replacements made, each in the result of the one before.

    Raises:
        ToolInputError: one finds no place, or several; says which one and where, for the model.
    """
    endings = _ENDING.findall(text)
    old = new = text.replace("\r\n", "\n")
    for number, replacement in enumerate(replacements, start=1):
        search = replacement.search.replace("\r\n", "\n")
        place = _place(new, search, replacement.near_line, f"edit {number} of {len(replacements)}")
        words = replacement.replace.replace("\r\n", "\n")
        first, lines = new.count("\n", 0, place), search.count("\n")
        ending = _ending_at(endings, first)
        endings[first : first + lines] = [ending] * words.count("\n")
        new = new[:place] + words + new[place + len(search) :]
    return Replaced(text=_join(new, endings), diff=_diff(old, new))


def _place(text: str, search: str, near_line: int | None, which: str) -> int:
    places = _places(text, search)
    if not places:
        raise ToolInputError(f"{which}: search does not occur; nothing was edited. {_nearest(text, search)}")
    if len(places) == 1:
        return places[0]
    lines = [text.count("\n", 0, place) + 1 for place in places]
    told = ", ".join(str(line) for line in lines) + (" and more" if len(places) == _MATCHES else "")
    if near_line is None:
        raise ToolInputError(
            f"{which}: search occurs {_count(places)} times, at lines {told}; nothing was edited. "
            "Add lines around it to search, or say near_line"
        )
    distances = [abs(line - near_line) for line in lines]
    least = min(distances)
    if distances.count(least) > 1 or (len(places) == _MATCHES and near_line > lines[-1]):
        raise ToolInputError(
            f"{which}: near_line {near_line} does not tell which of the places at lines {told} is meant; "
            "nothing was edited. Add lines around it to search"
        )
    return places[distances.index(least)]


def _places(text: str, search: str) -> list[int]:
    """Where the search begins, overlapping places too, the first `_MATCHES`."""
    places: list[int] = []
    place = text.find(search)
    while place >= 0 and len(places) < _MATCHES:
        places.append(place)
        place = text.find(search, place + 1)
    return places


def _count(places: list[int]) -> str:
    return f"{_MATCHES} or more" if len(places) == _MATCHES else str(len(places))


def _nearest(text: str, search: str) -> str:
    """What the file has instead, in words and quoted lines."""
    lines = text.split("\n")[:_NEAR_LINES]
    wanted = [line for line in search.split("\n") if line.strip()] or [search]
    spaced = _but_for_spaces(lines, wanted)
    if spaced is not None:
        return f"It differs only in white space; the file has:\n{_quote(lines, spaced)}"
    first = wanted[0].strip()[:_LINE_CHARS]
    stripped = [line.strip()[:_LINE_CHARS] for line in lines]
    close = difflib.get_close_matches(first, dict.fromkeys(filter(None, stripped)), n=_NEAR, cutoff=0.6)
    numbers = sorted(stripped.index(line) for line in close)
    if not numbers:
        return "No line is like its first one: read the file with read_artifact"
    return f"The nearest lines to its first one are:\n{_quote(lines, numbers)}"


def _but_for_spaces(lines: list[str], wanted: list[str]) -> list[int] | None:
    """The indexes of lines that equal the wanted ones without their white space, blank lines left out."""
    bare = [("".join(line.split()), index) for index, line in enumerate(lines)]
    bare = [(line, index) for line, index in bare if line]
    goal = ["".join(line.split()) for line in wanted]
    for start in range(len(bare) - len(goal) + 1):
        if bare[start][0] == goal[0] and [line for line, _ in bare[start : start + len(goal)]] == goal:
            return [index for _, index in bare[start : start + len(goal)]]
    return None


def _quote(lines: list[str], indexes: list[int]) -> str:
    """Numbered lines, tabs made visible, at most eight."""
    shown = [f"{index + 1}: {lines[index][:_LINE_CHARS]}".replace("\t", "\\t") for index in indexes[:8]]
    return "\n".join([*shown, "..."] if len(indexes) > 8 else shown)


def _ending_at(endings: list[str], first: int) -> str:
    """How the line ends that a place is in; the last line, which may have no end, as the one before it."""
    if not endings:
        return "\n"
    return endings[min(first, len(endings) - 1)]


def _join(text: str, endings: list[str]) -> str:
    if "\r\n" not in endings:
        return text
    lines = text.split("\n")
    return "".join(line + ending for line, ending in zip(lines, [*endings, ""], strict=True))


def _diff(old: str, new: str) -> str:
    lines = list(difflib.unified_diff(old.split("\n"), new.split("\n"), "before", "after", lineterm="", n=2))
    shown: list[str] = []
    size = 0
    for line in lines:
        size += min(len(line), _LINE_CHARS) + 1
        if size > _DIFF_CHARS:
            shown.append(f"... {len(lines) - len(shown)} more lines")
            break
        shown.append(line[:_LINE_CHARS])
    return "\n".join(shown)
