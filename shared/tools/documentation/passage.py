"""The stretch of a section that is worth showing for a question."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from shared.tools.documentation.text import terms, tokens

_BLANK = re.compile(r"\n\s*\n")
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


def passage(markdown: str, wanted: AbstractSet[str], limit: int) -> str:
    """At most about `limit` characters of the text, around the block with most of the wanted index terms.

    Blocks (paragraphs, tables, code fences) stay whole where they fit; a cut is marked by an ellipsis.
    """
    text = markdown.strip()
    if len(text) <= limit:
        return text
    blocks = _blocks(text)
    best = max(range(len(blocks)), key=lambda number: (_shared(blocks[number], wanted), -number))
    first = last = best
    size = len(blocks[best])
    while last + 1 < len(blocks) and size + len(blocks[last + 1]) + 2 <= limit:
        last += 1
        size += len(blocks[last]) + 2
    while first > 0 and size + len(blocks[first - 1]) + 2 <= limit:
        first -= 1
        size += len(blocks[first]) + 2
    shown = "\n\n".join(blocks[first : last + 1])
    before = "…\n\n" if first else ""
    if len(shown) > limit:
        return before + _cut(shown, limit)
    return before + shown + ("\n\n…" if last + 1 < len(blocks) else "")


def _blocks(text: str) -> list[str]:
    """Paragraphs, with the blank lines inside a code fence left where they are."""
    blocks: list[str] = []
    open_fence = False
    for part in _BLANK.split(text):
        if open_fence:
            blocks[-1] += "\n\n" + part
        else:
            blocks.append(part)
        open_fence ^= len(_FENCE.findall(part)) % 2 == 1
    return blocks


def _shared(block: str, wanted: AbstractSet[str]) -> int:
    return len(wanted & set(terms(tokens(block))))


def _cut(block: str, limit: int) -> str:
    """The block's first lines, with an opened fence closed."""
    end = block.rfind("\n", 0, limit)
    if end < limit // 2:
        end = block.rfind(" ", 0, limit)
    kept = block[: end if end > 0 else limit].rstrip()
    return kept + ("\n…\n```" if len(_FENCE.findall(kept)) % 2 else " …")
