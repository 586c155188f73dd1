"""The search index over a set of pages: sections ranked with their pages, and an honest nothing.

How it works and what it reaches is told in docs/documentation-search.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.tools.documentation.markdown import Page, Section, split_code
from shared.tools.documentation.question import Concept, Interpreter
from shared.tools.documentation.ranking import Field, Ranking, Scheme, build
from shared.tools.documentation.spelling import Speller
from shared.tools.documentation.text import STOP_WORDS, terms, tokens
from shared.tools.documentation.thesaurus import shipped

SECTION_SCHEME = Scheme(
    fields={
        "heading": Field(10.0, 0.3),
        "above": Field(1.0, 0.3),
        "page": Field(1.2, 0.3),
        "prose": Field(2.0, 0.6),
        "code": Field(0.7, 0.6),
    },
    k1=1.4,
)
PAGE_SCHEME = Scheme(
    fields={
        "title": Field(4.0, 0.3),
        "headings": Field(2.0, 0.6),
        "prose": Field(1.0, 0.75),
        "code": Field(0.5, 0.75),
    },
    k1=1.4,
)
PAGE_SHARE = 0.3
"""How much of a page's own score each of its sections is given."""

SAME_PAGE_AGAIN = 0.72
"""What a section keeps for each better section of its page, so that one page does not fill the list."""

LEAST_COVERAGE = 0.38
"""The share of the question, by weight, that the best section must cover; below it nothing is found."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that answers, and how well; scores compare within one question only."""

    page: Page
    section: Section
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What takes time to make: the rankings of sections and of whole pages, and the words counted."""

    pages: tuple[Page, ...]
    sections: Ranking
    wholes: Ranking
    words: Mapping[str, int]


def prepare(pages: Sequence[Page]) -> Prepared:
    """The rankings over the pages."""
    words: Counter[str] = Counter()
    sections: list[dict[str, list[str]]] = []
    wholes: list[dict[str, list[str]]] = []
    for page in pages:
        own = _sections(page, words)
        sections += own
        wholes.append(_whole(page, own))
    return Prepared(
        pages=tuple(pages),
        sections=build(sections, SECTION_SCHEME),
        wholes=build(wholes, PAGE_SCHEME),
        words={word: count for word, count in words.items() if word not in STOP_WORDS},
    )


class Index:
    """Pages ready to be searched."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.pages = prepared.pages
        self._sections = prepared.sections
        self._wholes = prepared.wholes
        self._places = [(page, section) for page in self.pages for section in page.sections]
        self._page_numbers = {page.path: number for number, page in enumerate(self.pages)}
        self._interpreter = Interpreter(
            known=self._knows,
            speller=Speller({**dict.fromkeys(shipped().vocabulary, 0), **prepared.words}),
            thesaurus=shipped(),
        )

    def search(self, question: str) -> list[Hit]:
        """All sections that share something with the question, the best first.

        Empty when none of them covers enough of it: then the pages do not hold an answer.
        """
        concepts = self._interpreter.read(question)
        sections = _answers(self._sections, concepts)
        if max((answer.coverage for answer in sections.values()), default=0.0) < LEAST_COVERAGE:
            return []
        wholes = _answers(self._wholes, concepts)
        hits = []
        for number, answer in sections.items():
            page, section = self._places[number]
            whole = wholes.get(self._page_numbers[page.path])
            hits.append(Hit(page, section, answer.value + PAGE_SHARE * (whole.value if whole else 0.0)))
        return _spread(hits)

    def terms(self, question: str) -> frozenset[str]:
        """The index terms that the question stands for, corrected words and synonyms among them."""
        return frozenset(term for concept in self._interpreter.read(question) for term in concept.terms)

    def _knows(self, term: str) -> bool:
        return term in self._sections.postings or term in self._wholes.postings


@dataclass(slots=True)
class _Answer:
    """How well one document answers: the sum of its terms' worth, and the share of the question it covers."""

    score: float = 0.0
    coverage: float = 0.0

    @property
    def value(self) -> float:
        return self.score * self.coverage


def _answers(ranking: Ranking, concepts: Sequence[Concept]) -> dict[int, _Answer]:
    """For each document that has a word of the question, how well it answers.

    A concept's weight in the coverage is the rarity of its best term; one that no page knows weighs as
    much as the rarest, so that a question about something else is noticed.
    """
    answers: dict[int, _Answer] = {}
    asked = 0.0
    for concept in concepts:
        worths: dict[int, float] = {}
        for term, weight in concept.terms.items():
            ranking.score(term, worths, weight)
        weighed = (ranking.rarity(term) * weight for term, weight in concept.terms.items())
        mass = concept.importance * max(weighed, default=ranking.greatest_rarity)
        asked += mass
        mass *= concept.certainty
        for document, worth in worths.items():
            answer = answers.setdefault(document, _Answer())
            answer.score += concept.importance * worth
            answer.coverage += mass
    for answer in answers.values():
        answer.coverage /= asked
    return answers


def _spread(hits: list[Hit]) -> list[Hit]:
    """The hits by falling score, after each further section of a page has been marked down."""
    seen: Counter[str] = Counter()
    spread = []
    for hit in sorted(hits, key=lambda hit: -hit.score):
        spread.append(Hit(hit.page, hit.section, hit.score * SAME_PAGE_AGAIN ** seen[hit.page.path]))
        seen[hit.page.path] += 1
    return sorted(spread, key=lambda hit: -hit.score)


def _sections(page: Page, words: Counter[str]) -> list[dict[str, list[str]]]:
    """The fields of each section of a page; all words of the page are counted into `words`."""
    page_terms = terms(tokens(f"{page.title} {page.path.removesuffix('.md')}"))
    found = []
    for section in page.sections:
        prose, code = split_code(section.text)
        above, _, own = section.heading.rpartition(" > ")
        fields = {
            "heading": tokens(own),
            "above": tokens(above),
            "prose": tokens(prose),
            "code": tokens(code),
        }
        for name in ("heading", "prose", "code"):
            words.update(word for token in fields[name] for word in (token.whole, *token.parts))
        found.append({"page": page_terms} | {name: terms(field) for name, field in fields.items()})
    return found


def _whole(page: Page, sections: list[dict[str, list[str]]]) -> dict[str, list[str]]:
    """The fields of a page as one document."""
    fields = {"headings": "heading", "prose": "prose", "code": "code"}
    joined = {name: [term for section in sections for term in section[part]] for name, part in fields.items()}
    return {"title": terms(tokens(f"{page.title} {page.path} {page.description}")), **joined}
