"""The forms that the tables of phrases are written in.

`#n` stands for a number without per cent sign, `#p` for one with it, `~` for a short stretch without digits
or punctuation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.model.offline.numerals import NUMBER

_TOKENS = {
    "#n": rf"(?<![\w.%])\$?(?P<N>{NUMBER})(?![%\d]|\.\d)",
    "#p": rf"(?<![\w.])(?P<N>{NUMBER})%",
    "~": r"[^\d.,;!?\n]{0,30}?",
    "@unit": r"(?:[ -]?(?:period|candle|candlestick|bar|day|hour|week|minute|session)s?)?",
}


def phrase(pattern: str) -> re.Pattern[str]:
    """The pattern with the signs of this module written out; its numbers become groups n1, n2 …"""
    for token, meaning in _TOKENS.items():
        pattern = pattern.replace(token, meaning)
    parts = pattern.split("?P<N>")
    return re.compile(parts[0] + "".join(f"?P<n{i}>{part}" for i, part in enumerate(parts[1:], 1)))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern whose numbers are the values of `names`, in this order; `limits` are what the words allow."""

    names: tuple[str, ...]
    pattern: re.Pattern[str]
    limits: tuple[float, float] = (0, 1e12)
    rising: bool = False


@dataclass(frozen=True, slots=True)
class Labels:
    """Words beside numbers, to be told apart by place (assign.py); `per_cent` says which numbers."""

    words: tuple[tuple[str | None, str], ...]
    per_cent: bool = False
    limits: tuple[float, float] = (0, 1e12)

    def pattern(self) -> re.Pattern[str]:
        """One pattern for all labels; the group `g<index>` tells which."""
        return re.compile("|".join(rf"(?P<g{i}>\b(?:{words})\b)" for i, (_, words) in enumerate(self.words)))


@dataclass(frozen=True, slots=True)
class Constant:
    """Words that fix a value by themselves."""

    name: str
    pattern: re.Pattern[str]
    value: object


def entry(names: str, pattern: str, low: float = 0, high: float = 1e12, *, rising: bool = False) -> Phrase:
    """The phrase whose numbers are the values of the names, which are divided by blanks."""
    return Phrase(tuple(names.split()), phrase(pattern), (low, high), rising)


__all__ = ["Constant", "Labels", "Phrase", "entry", "phrase"]
