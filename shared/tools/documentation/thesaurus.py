"""Words that people use for what the pages call otherwise, and names of subjects of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from shared.tools.documentation.text import STOP_WORDS, stem, tokens

_THESAURUS = Path(__file__).with_name("thesaurus.txt")
_SUBJECTS = Path(__file__).with_name("subjects.txt")
_LONGEST = 5


class Thesaurus:
    """Read from lines "word, word, ... < other, two words, ...".

    What stands before the sign are the words of documentation, which also stand for each other; what stands
    after it are everyday words and phrases for them, which only lead there and never back.
    """

    def __init__(self, lines: Sequence[str], *, subjects: Sequence[str] = ()) -> None:
        self._words: dict[str, set[str]] = defaultdict(set)
        self._phrases: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self.vocabulary: set[str] = set()
        for line in lines:
            if line.strip():
                self._add(*line.partition("<")[::2])
        self._subjects = frozenset(stem(subject) for subject in subjects)

    def is_subject(self, word: str) -> bool:
        """Whether the word names a subject of its own, such as a product, a language or a kind of order."""
        return stem(word) in self._subjects

    def synonyms(self, word: str) -> frozenset[str]:
        """The index terms that this word may stand for, itself not among them."""
        return frozenset(self._words.get(stem(word), ()))

    def phrase(self, words: list[str], *, known: Callable[[str], bool]) -> tuple[tuple[str, ...], int]:
        """The index terms for the longest phrase that `words` begin with, and its length; else ((), 0)."""
        for length in range(min(_LONGEST, len(words)), 1, -1):
            targets = self._phrases.get(tuple(stem(word) for word in words[:length]))
            if targets and any(known(target) for target in targets):
                return tuple(targets), length
        return (), 0

    def _add(self, documented: str, everyday: str) -> None:
        self.vocabulary.update(
            token.whole for token in tokens(f"{documented} {everyday}") if token.whole not in STOP_WORDS
        )
        names = [_stems(name) for name in documented.split(",") if name.strip()]
        targets = {name[0] for name in names if len(name) == 1} | {
            "".join(name) for name in names if len(name) > 1
        }
        targets |= {part for name in names if len(name) > 1 for part in name if part not in STOP_WORDS}
        for name in [*names, *(_stems(other) for other in everyday.split(",") if other.strip())]:
            if len(name) == 1:
                self._words[name[0]] |= targets - {name[0]}
            else:
                self._phrases[name] |= targets


def _stems(text: str) -> tuple[str, ...]:
    return tuple(stem(token.whole) for token in tokens(text))


@cache
def shipped() -> Thesaurus:
    """The thesaurus that comes with the project."""
    return Thesaurus(_lines(_THESAURUS), subjects=" ".join(_lines(_SUBJECTS)).split())


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
