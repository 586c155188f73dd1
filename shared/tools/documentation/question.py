"""A reader's question turned into concepts: weighted alternatives, one set for each word that matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from shared.tools.documentation.spelling import Speller
from shared.tools.documentation.text import STOP_WORDS, Token, stem, tokens
from shared.tools.documentation.thesaurus import Thesaurus

PART_WEIGHT = 0.55
WHOLE_WEIGHT = 1.5
SYNONYM_WEIGHT = 0.7
SIDE_WEIGHT = 0.3
SUBJECT_WEIGHT = 3.0
CORRECTION_WEIGHT = 0.95


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing the question asks about: terms that stand for it, each with how surely it does (0..1].

    A concept without terms is a word that neither the pages nor the thesaurus know. `importance` scales it
    against the other concepts; `certainty` is below 1 where the word was taken for a misspelling.
    """

    words: str
    terms: Mapping[str, float]
    importance: float = 1.0
    certainty: float = 1.0


class Interpreter:
    """Knows the words of the pages, and reads questions with them."""

    def __init__(self, *, known: Callable[[str], bool], speller: Speller, thesaurus: Thesaurus) -> None:
        self._known = known
        self._speller = speller
        self._thesaurus = thesaurus

    def read(self, question: str) -> list[Concept]:
        """The concepts of a question, in its order."""
        found = [plain for token in tokens(question) for plain in self._known_or_parts(token)]
        concepts: list[Concept] = []
        at = 0
        while at < len(found):
            phrase, length = self._thesaurus.phrase(
                [token.whole for token in found[at : at + 5]], known=self._known
            )
            if length:
                words = " ".join(token.whole for token in found[at : at + length])
                concepts.append(self._phrase(words, found[at : at + length], phrase))
                at += length
                continue
            concepts.extend(self._token(found[at]))
            at += 1
        return concepts + self._joined(found)

    def _known_or_parts(self, token: Token) -> list[Token]:
        """An identifier of the pages as it is; one they do not have as the words it is made of."""
        if not token.parts or self._known(stem(token.whole)):
            return [token]
        return [Token(part, ()) for part in token.parts]

    def _token(self, token: Token) -> list[Concept]:
        if not token.parts:
            return [] if token.whole in STOP_WORDS else [self._word(token.whole)]
        parts = [part for part in dict.fromkeys(token.parts) if part not in STOP_WORDS and len(part) > 1]
        return [
            Concept(token.whole, {stem(token.whole): 1.0}, WHOLE_WEIGHT),
            *(self._word(part, importance=PART_WEIGHT) for part in parts),
        ]

    def _word(self, word: str, *, importance: float = 1.0) -> Concept:
        term = stem(word)
        if self._known(term):
            variants = {term: 1.0} | dict.fromkeys(self._thesaurus.synonyms(word), SIDE_WEIGHT)
            return self._concept(word, variants, importance)
        if synonyms := self._thesaurus.synonyms(word):
            return self._concept(word, dict.fromkeys(synonyms, SYNONYM_WEIGHT), importance)
        if self._thesaurus.is_subject(word):
            return Concept(word, {}, SUBJECT_WEIGHT)
        return self._corrected(word, importance)

    def _corrected(self, word: str, importance: float) -> Concept:
        """What a word that nobody knows may be a misspelling of."""
        variants: dict[str, float] = {}
        suggestions = self._speller.suggest(word)
        for candidate, closeness in suggestions:
            _raise(variants, stem(candidate), closeness * CORRECTION_WEIGHT)
            for synonym in self._thesaurus.synonyms(candidate):
                _raise(variants, synonym, closeness * SIDE_WEIGHT)
        closest = suggestions[0][1] if suggestions else 1.0
        return self._concept(word, variants, importance, certainty=closest)

    def _concept(
        self, word: str, variants: Mapping[str, float], importance: float, certainty: float = 1.0
    ) -> Concept:
        known = {term: weight for term, weight in variants.items() if self._known(term)}
        return Concept(word, known, importance, certainty)

    def _phrase(self, words: str, found: list[Token], targets: tuple[str, ...]) -> Concept:
        variants = {target: 0.8 for target in targets if self._known(target)}
        for token in found:
            term = stem(token.whole)
            if token.whole not in STOP_WORDS and self._known(term):
                _raise(variants, term, 0.7)
        return Concept(words, variants, 1.2)

    def _joined(self, found: list[Token]) -> list[Concept]:
        """Two words that the pages write as one ("log out", "real time")."""
        concepts = []
        for left, right in pairwise(found):
            term = stem(left.whole + right.whole)
            if self._known(term) and len(left.whole) > 1 and len(right.whole) > 1:
                concepts.append(Concept(left.whole + right.whole, {term: 1.0}, 0.8))
        return concepts


def _raise(variants: dict[str, float], term: str, weight: float) -> None:
    variants[term] = max(weight, variants.get(term, 0.0))
