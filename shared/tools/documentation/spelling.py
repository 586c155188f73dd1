"""Correction of misspelt words against the words of the pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from heapq import nlargest

_VOWELS = frozenset("aeiouy")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORST = 2.0
_ALLOWED_PER_LETTER = 0.27
_LONGER = 2
_OTHER_FIRST_LETTER = 0.7
_TRIED = 24


class Speller:
    """Finds the known words that a misspelt one may stand for.

    Candidates come from shared letter pairs; the distance is Damerau-Levenshtein's (optimal string alignment)
    with costs for the slips people make: a left-out or swapped vowel, two letters swapped, a neighbour on the
    keyboard cost less than an unrelated letter, and a wrong first letter costs more.
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = {word: count for word, count in counts.items() if len(word) > 3 and word.isalpha()}
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        for word in self._counts:
            for pair in _pairs(word):
                self._by_pair[pair].append(word)

    def suggest(self, word: str) -> list[tuple[str, float]]:
        """At most three known words with a closeness in (0, 1], the closest first; often none."""
        limit = min(_WORST, _ALLOWED_PER_LETTER * len(word))
        if len(word) < 4 or not word.isalpha():
            return []
        found: list[tuple[float, int, str]] = []
        for candidate in self._candidates(word):
            other = _OTHER_FIRST_LETTER if candidate[0] != word[0] else 0.0
            cost = other + distance(word, candidate, limit)
            if cost <= limit:
                found.append((cost, -self._counts[candidate], candidate))
        found.sort()
        best = found[0][0] if found else 0.0
        close = [(cost, candidate) for cost, _, candidate in found[:3] if cost <= best + 0.3]
        return [(candidate, 1.0 - cost / (len(word) + 1)) for cost, candidate in close]

    def _candidates(self, word: str) -> list[str]:
        """The known words that share most letter pairs with this one, for their length."""
        pairs = _pairs(word)
        shared: dict[str, int] = defaultdict(int)
        for pair in pairs:
            for candidate in self._by_pair.get(pair, ()):
                shared[candidate] += 1
        alike = (
            (count / (len(pairs) + len(candidate) + 1), candidate)
            for candidate, count in shared.items()
            if abs(len(candidate) - len(word)) <= _LONGER
        )
        return [candidate for _, candidate in nlargest(_TRIED, alike)]


def distance(left: str, right: str, limit: float = float("inf")) -> float:
    """The weighted cost of turning one word into the other; stops early once it must exceed `limit`."""
    before_last: list[float] = []
    last = [0.0]
    for letter in right:
        last.append(last[-1] + _gap(letter))
    for row, wrong in enumerate(left, start=1):
        current = [last[0] + _gap(wrong)]
        for column, letter in enumerate(right, start=1):
            cost = min(
                last[column] + _gap(wrong),
                current[column - 1] + _gap(letter),
                last[column - 1] + _swap(wrong, letter),
            )
            if row > 1 and column > 1 and wrong == right[column - 2] and left[row - 2] == letter:
                cost = min(cost, before_last[column - 2] + 0.8)
            current.append(cost)
        if min(current) > limit and min(last) > limit:
            return float("inf")
        before_last, last = last, current
    return last[-1]


def _gap(letter: str) -> float:
    return 0.8 if letter in _VOWELS else 1.0


def _swap(wrong: str, right: str) -> float:
    if wrong == right:
        return 0.0
    if wrong in _VOWELS and right in _VOWELS:
        return 0.8
    return 1.0 if (wrong, right) in _NEIGHBOURS else 1.5


def _pairs(word: str) -> set[str]:
    framed = f"^{word}$"
    return {framed[at : at + 2] for at in range(len(framed) - 1)}


_NEIGHBOURS = frozenset(
    pair
    for row in _ROWS
    for at in range(len(row) - 1)
    for pair in ((row[at], row[at + 1]), (row[at + 1], row[at]))
)
