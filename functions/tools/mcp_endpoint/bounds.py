"""Keeps a tool's result small enough for a prompt: cuts long texts and lists, and says what was cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.tools.mcp_endpoint.tokens import compact_json, tokens

MOST_TOKENS = 1700
"""What the JSON of a result may cost; the notes and links beside it stay under 300 more."""

# Characters of a text and entries of a list that stay; the first pair that makes the value fit is taken.
_LEVELS = ((2000, 100), (1000, 50), (500, 25), (250, 12), (120, 6), (60, 3), (30, 1))
_MOST_NOTES = 6
_MOST_NOTE_CHARS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """A value that fits, and what was cut from it: `notes` is empty when nothing was."""

    value: Any
    notes: tuple[str, ...]


def bounded(value: Any, limit: int = MOST_TOKENS) -> Bounded:
    """The value cut to `limit` tokens.

    A stretch of a text (`content` with `start`, `total_chars` and `next_start`) ends earlier and has its
    `next_start` moved back, so that reading on loses nothing.
    """
    if _cost(value) <= limit:
        return Bounded(value=value, notes=())
    if _is_stretch(value):
        return _shorter_stretch(value, limit)
    return _cut(value, limit)


def _cost(value: Any) -> int:
    return tokens(compact_json(value))


def _is_stretch(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("content"), str)
        and isinstance(value.get("start"), int)
        and isinstance(value.get("total_chars"), int)
        and "next_start" in value
    )


def _shorter_stretch(value: dict[str, Any], limit: int) -> Bounded:
    frame = bounded({**value, "content": ""}, limit // 2)
    content: str = value["content"]
    size = _fitting(content, limit - _cost(frame.value))
    line = content.rfind("\n", size // 2, size)
    size = line + 1 if line >= 0 else size
    # The content may hold more characters than the text it shows (marks): read on from before them.
    end = value["next_start"] if value["next_start"] is not None else value["total_chars"]
    marks = max(0, len(content) - (end - value["start"]))
    following = max(value["start"] + 1, value["start"] + size - marks)
    shorter = {**frame.value, "content": content[:size], "next_start": following}
    if "truncated" in value:
        shorter["truncated"] = True
    note = f"content: {size} of {len(content)} characters; go on with start={following}"
    return Bounded(value=shorter, notes=(note, *frame.notes))


def _fitting(text: str, limit: int) -> int:
    """How many characters of the text cost at most `limit` tokens as JSON."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if tokens(compact_json(text[:middle])) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(value: Any, limit: int) -> Bounded:
    for chars, entries in _LEVELS:
        notes: list[str] = []
        shorter = _shortened(value, "", chars, entries, notes)
        if _cost(shorter) <= limit:
            return Bounded(value=shorter, notes=_few(notes))
    return Bounded(value={}, notes=("the result does not fit: ask for less",))


def _shortened(value: Any, path: str, chars: int, entries: int, notes: list[str]) -> Any:
    if isinstance(value, str) and len(value) > chars:
        notes.append(f"{path or 'result'}: {chars} of {len(value)} characters")
        return value[:chars] + "…"
    if isinstance(value, list):
        if len(value) > entries:
            notes.append(f"{path or 'result'}: {entries} of {len(value)} entries")
        return [
            _shortened(item, f"{path}[{number}]", chars, entries, notes)
            for number, item in enumerate(value[:entries])
        ]
    if isinstance(value, dict):
        most = max(entries, 12)
        if len(value) > most:
            notes.append(f"{path or 'result'}: {most} of {len(value)} fields")
        return {
            key[:120]: _shortened(item, f"{path}.{key[:60]}".lstrip("."), chars, entries, notes)
            for key, item in list(value.items())[:most]
        }
    return value


def _few(notes: list[str]) -> tuple[str, ...]:
    first = tuple(note[-_MOST_NOTE_CHARS:] for note in notes[:_MOST_NOTES])
    return first if len(notes) <= _MOST_NOTES else (*first, f"{len(notes) - _MOST_NOTES} more")
