"""What a plan answers with: words, and the tools to call next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_WORDS_A_DELTA = 4
_WORD = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A tool call without its id."""

    name: str
    arguments: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """Text for the user, then calls that run at the same time; without calls the turn is done."""

    text: str
    calls: tuple[PlannedCall, ...] = ()


def deltas(text: str) -> Iterator[str]:
    """The text in pieces of a few words; joined they are the text."""
    words = _WORD.findall(text)
    for start in range(0, len(words), _WORDS_A_DELTA):
        yield "".join(words[start : start + _WORDS_A_DELTA])


def paragraphs(*parts: str | None) -> str:
    """The parts that say something, a blank line between them."""
    return "\n\n".join(part.strip() for part in parts if part and part.strip())


def bullets(lines: list[str] | tuple[str, ...]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def quoted(text: str, limit: int) -> str:
    """Foreign text as a Markdown quotation of at most `limit` characters, cut at a sentence where possible.

    Quoting keeps what a page says apart from what we say; nothing in it is acted upon.
    """
    kept = re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", "", text).strip()
    if len(kept) > limit:
        cut = kept[:limit]
        ends = [cut.rfind(mark) + len(mark.rstrip()) for mark in (". ", ".\n", "! ", "? ") if mark in cut]
        end = max(ends, default=0)
        kept = cut[:end] if end > limit // 2 else f"{cut.rsplit(' ', 1)[0]} …"
    if kept.count("```") % 2:
        kept += "\n```"
    return "\n".join(f"> {line}".rstrip() for line in kept.split("\n"))
