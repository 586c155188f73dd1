"""Words out of Markdown and out of questions: tokens, parts of identifiers, and a light stemmer."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# Names that punctuation would tear apart, and the ends of contractions.
_NAMES = {"c++": " cpp ", "c#": " csharp ", ".net": " dotnet ", "node.js": " nodejs node "}
_NAMED = re.compile(
    r"\bc\+\+|\bc#|(?<!\w)\.net\b|\bnode\.js\b|\b[a-z]+n['\u2019]t\b|['\u2019](?:s|re|ve|ll|d|m)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[._:/-]+[A-Za-z0-9]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+|[A-Z]+[0-9]*")
# Bounded: questions come from outside.
_REMEMBERED = 32_768
_IDENTIFIER = re.compile(r"[a-z0-9][A-Z]|[._:/-]")

STOP_WORDS = frozenset(Path(__file__).with_name("stop_words.txt").read_text(encoding="utf-8").split())


class Token(NamedTuple):
    """One word or identifier: its joined form first, then its parts (none when it is a plain word)."""

    whole: str
    parts: tuple[str, ...]


def tokens(text: str) -> list[Token]:
    """The tokens of a text in order, in lower case, not stemmed; stop words are still there."""
    text = _NAMED.sub(lambda found: _NAMES.get(found[0].lower(), " "), text)
    return [_token(match) for match in _TOKEN.findall(text)]


def terms(found: list[Token]) -> list[str]:
    """The index terms of tokens in order: stems of words, and for identifiers the whole and the parts."""
    return [term for token in found for term in _stems(token)]


@lru_cache(maxsize=_REMEMBERED)
def _stems(token: Token) -> tuple[str, ...]:
    stems = (stem(word) for word in (token.whole, *token.parts))
    return tuple(term for term in stems if term not in STOP_WORDS)


@lru_cache(maxsize=_REMEMBERED)
def stem(word: str) -> str:
    """The word without its common English endings; two forms of a word mostly share a stem.

    A light relative of Porter's algorithm (Program 14, 1980), with fewer rules, so that fewer different
    words meet.
    """
    if len(word) <= 3 or not word.isascii() or any(letter.isdigit() for letter in word):
        return word
    word = _without_plural(word)
    for ending, replacement, shortest in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            word = word[: -len(ending)] + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsze":
        word = word[:-1]
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word.endswith("y") else word


_ENDINGS = (
    ("ization", "iz", 3),
    ("isation", "iz", 3),
    ("ational", "", 3),
    ("ication", "ic", 3),
    ("ation", "", 4),
    ("ition", "it", 3),
    ("ution", "ut", 3),
    ("ction", "ct", 3),
    ("ption", "pt", 3),
    ("ising", "iz", 3),
    ("ments", "", 4),
    ("ment", "", 4),
    ("ness", "", 4),
    ("ency", "", 5),
    ("ence", "", 5),
    ("ance", "", 5),
    ("ent", "", 5),
    ("ingly", "", 3),
    ("ating", "", 4),
    ("ated", "", 4),
    ("ator", "", 4),
    ("ate", "", 4),
    ("ously", "", 4),
    ("able", "", 4),
    ("ible", "", 4),
    ("ally", "", 4),
    ("ing", "", 3),
    ("ied", "i", 3),
    ("ed", "", 3),
    ("er", "", 4),
    ("or", "", 5),
    ("ly", "", 4),
    ("al", "", 5),
    ("ive", "", 5),
    ("ful", "", 4),
    ("ise", "iz", 3),
)


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=_REMEMBERED)
def _token(text: str) -> Token:
    whole = re.sub(r"[^a-z0-9]", "", text.lower())
    if not _IDENTIFIER.search(text):
        return Token(whole, ())
    parts = tuple(part.lower() for part in _PART.findall(text))
    return Token(whole, parts if len(parts) > 1 else ())
