"""BM25F: how well a document's fields answer a weighted set of terms."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Postings = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Field:
    """How much a term in this field counts, and how far the field's length discounts it (0 not, 1 fully)."""

    weight: float
    length_discount: float


@dataclass(frozen=True, slots=True)
class Scheme:
    """The fields of a kind of document and the saturation of repeated terms (`k1` of BM25)."""

    fields: Mapping[str, Field]
    k1: float


class Ranking:
    """An inverted index whose postings already hold the saturated, field-weighted frequencies.

    The formula is that of S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond"
    (2009), section 3.6: frequencies are weighted and normalised per field, added, and only then saturated.
    """

    def __init__(self, *, size: int, postings: Postings) -> None:
        self.size = size
        self.postings = postings

    def rarity(self, term: str) -> float:
        """The term's inverse document frequency; 0 for a term of no document."""
        held = len(self.postings.get(term, ()))
        return math.log(1 + (self.size - held + 0.5) / (held + 0.5)) if held else 0.0

    @property
    def greatest_rarity(self) -> float:
        """What a term of a single document has."""
        return math.log(1 + (self.size - 0.5) / 1.5)

    def score(self, term: str, into: dict[int, float], weight: float) -> None:
        """Raises `into[document]` to what this term alone is worth there, where that is more."""
        factor = weight * self.rarity(term)
        for document, frequency in self.postings.get(term, ()):
            worth = factor * frequency
            if worth > into.get(document, 0.0):
                into[document] = worth


def build(documents: Sequence[Mapping[str, Sequence[str]]], scheme: Scheme) -> Ranking:
    """The ranking over documents given as field -> terms."""
    average = {
        name: (sum(len(document.get(name, ())) for document in documents) / max(1, len(documents))) or 1.0
        for name in scheme.fields
    }
    postings: Postings = defaultdict(list)
    for number, document in enumerate(documents):
        weighted: dict[str, float] = defaultdict(float)
        for name, field in scheme.fields.items():
            found = document.get(name, ())
            if not found:
                continue
            norm = 1 - field.length_discount + field.length_discount * len(found) / average[name]
            for term, count in Counter(found).items():
                weighted[term] += field.weight * count / norm
        for term, frequency in weighted.items():
            postings[term].append((number, frequency / (scheme.k1 + frequency)))
    return Ranking(size=len(documents), postings=dict(postings))
