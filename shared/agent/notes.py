"""A summary's text: sections of lines under fixed headings, so that code can read back what it wrote.

No line of ours can be taken for a heading: items are one line behind a dash, quotations behind a mark, and a
model's own notes lose the signs that begin a heading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_SUMMARY = 6_000
MAX_FIRST = 1_500
# With the marks of its lines.
_MAX_QUOTED = 2_000
_MAX_ITEM = 320

_FIRST = "## The user's first request, word for word"
_NOTES = "## Notes"
_ITEMS = {
    "rules": ("## What the user laid down: limits, values, corrections (later ones count)", 1_100),
    "asked": ("## Asked and answered", 600),
    "deeds": ("## Tools that saved files", 450),
    "files": ("## Files of the session, with the last turn that saved each", 400),
    "markets": ("## Markets named", 150),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What is kept of turns that the model no longer sees; `notes` are the model's own."""

    first: str = ""
    notes: str = ""
    rules: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    deeds: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()

    def text(self) -> str:
        """The text, at most MAX_SUMMARY characters; of items that are too many, the middle ones go."""
        quoted = _taken([f"> {line}" for line in self.first.splitlines()], _MAX_QUOTED)
        sections = ["\n".join((_FIRST, *quoted)) if quoted else ""]
        for name, (heading, room) in _ITEMS.items():
            if lines := _bounded(getattr(self, name), room):
                sections.append("\n".join((heading, *lines)))
        if self.notes:
            left = MAX_SUMMARY - sum(len(section) + 2 for section in sections) - len(_NOTES) - 1
            sections.insert(1, f"{_NOTES}\n{_plain(self.notes)[:left]}")
        return "\n\n".join(section for section in sections if section)


def read_notes(text: str) -> Notes:
    """The notes that a summary's text holds; lines under no known heading are the model's."""
    headings = {heading: name for name, (heading, _) in _ITEMS.items()}
    headings |= {_FIRST: "first", _NOTES: "notes"}
    found: dict[str, list[str]] = {}
    name = "notes"
    for line in text.splitlines():
        if line in headings:
            name = headings[line]
        elif line or name == "notes":
            found.setdefault(name, []).append(line)
    items = {
        name: tuple(line.removeprefix("- ") for line in found.get(name, ()) if line.startswith("- "))
        for name in _ITEMS
    }
    first = "\n".join(line.removeprefix("> ") for line in found.get("first", ()))
    return Notes(
        first=first,
        notes="\n".join(found.get("notes", ())).strip(),
        rules=items["rules"],
        asked=items["asked"],
        deeds=items["deeds"],
        files=items["files"],
        markets=items["markets"],
    )


def item(text: str, length: int = _MAX_ITEM) -> str:
    """A text as one line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def quotation(text: str) -> str:
    """A text as it is quoted, word for word; of a long one the beginning and the end."""
    # splitlines knows more line ends than \n: each must get its mark.
    lines = "\n".join(text.strip().splitlines())
    if len(lines) <= MAX_FIRST:
        return lines
    tail = MAX_FIRST // 3
    return f"{lines[: MAX_FIRST - tail - 3]}\n…\n{lines[-tail:]}"


def _bounded(items: Sequence[str], room: int) -> list[str]:
    """The items as lines, a third of the room for the first of them, the rest for the last."""
    # A file's name, too, must stay on its line.
    lines = [f"- {' '.join(entry.split())}" for entry in items]
    if sum(len(line) + 1 for line in lines) <= room:
        return lines
    head = _taken(lines, room // 3)
    tail = _taken(lines[len(head) :][::-1], room - sum(len(line) + 1 for line in head))
    return head + tail[::-1]


def _taken(lines: Sequence[str], room: int) -> list[str]:
    taken: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken


def _plain(text: str) -> str:
    """The model's notes without lines that would read as headings."""
    lines = (line.lstrip("#").lstrip() if line.startswith("#") else line for line in text.splitlines())
    return "\n".join(lines).strip()
