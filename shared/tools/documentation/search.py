"""The answers that the pages of this process give."""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import dataclass

from shared.errors import InvalidRequestError, NotFoundError
from shared.settings import Settings
from shared.tools.documentation.index import Hit
from shared.tools.documentation.library import Documentation, documentation
from shared.tools.documentation.markdown import Page
from shared.tools.documentation.passage import passage

LONGEST_QUERY = 512
MOST_RESULTS = 50
PASSAGE_CHARS = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A section that answers; cite it as `path#heading`. `content` is its telling passage."""

    title: str
    heading: str
    path: str
    url: str
    content: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResults:
    """The best sections, and how many were found in all; none when the pages do not hold an answer."""

    query: str
    results: list[SearchResult]
    total_found: int


async def search(settings: Settings, query: str, limit: int) -> SearchResults:
    """The sections that answer a question, the best first.

    Raises:
        InvalidRequestError: the question is empty or over 512 characters, or the limit is not 1..50.
        UnavailableError: the pages cannot be read.
    """
    question = checked_question(query, limit)
    return await asyncio.to_thread(_search, documentation(settings), question, limit)


def checked_question(query: str, limit: int) -> str:
    """The question with its spaces joined.

    Raises:
        InvalidRequestError: it is empty or over 512 characters, or the limit is not 1..50.
    """
    question = " ".join(query.split())
    if not question:
        raise InvalidRequestError("the query is empty: give a few words or a question")
    if len(question) > LONGEST_QUERY:
        raise InvalidRequestError(f"the query is longer than {LONGEST_QUERY} characters: ask for one thing")
    if not 1 <= limit <= MOST_RESULTS:
        raise InvalidRequestError(f"limit must be between 1 and {MOST_RESULTS}")
    return question


async def pages(settings: Settings) -> tuple[Page, ...]:
    """All pages by path.

    Raises:
        UnavailableError: the pages cannot be read.
    """
    return (await asyncio.to_thread(documentation(settings).index)).pages


async def find_page(settings: Settings, path: str) -> Page:
    """The page of this path; a leading slash, a missing `.md` and a page's address are understood.

    Only pages of the index are looked through, so no path leads outside them.

    Raises:
        NotFoundError: there is no such page; the message names the nearest ones.
        UnavailableError: the pages cannot be read.
    """
    found = {page.path: page for page in await pages(settings)}
    wanted = path.strip().partition("#")[0].removeprefix("/api/docs/raw/").strip("/")
    for candidate in (wanted, f"{wanted}.md", f"{wanted}/index.md"):
        if candidate in found:
            return found[candidate]
    raise no_such_page(wanted, list(found))


def no_such_page(wanted: str, paths: list[str]) -> NotFoundError:
    """The error for a path that is not among these; names the nearest ones."""
    return NotFoundError(
        f"there is no page {wanted[:100]!r}; the nearest are {', '.join(_nearest(wanted, paths))}"
    )


def _search(library: Documentation, question: str, limit: int) -> SearchResults:
    index = library.index()
    hits = index.search(question)
    wanted = index.terms(question) if hits else frozenset()
    return SearchResults(
        query=question,
        results=[_result(hit, library, wanted) for hit in hits[:limit]],
        total_found=len(hits),
    )


def _result(hit: Hit, library: Documentation, wanted: frozenset[str]) -> SearchResult:
    body = hit.section.body or hit.page.under(hit.section)
    return SearchResult(
        title=hit.page.title,
        heading=hit.section.heading,
        path=hit.page.path,
        url=library.source.url(hit.page, hit.section),
        content=passage(body, wanted, PASSAGE_CHARS),
        score=round(hit.score, 3),
    )


def _nearest(wanted: str, paths: list[str]) -> list[str]:
    by_name = [path for path in paths if wanted and wanted.rpartition("/")[2] in path]
    close = difflib.get_close_matches(wanted, paths, n=3, cutoff=0.3)
    return list(dict.fromkeys([*by_name, *close]))[:3] or paths[:3]
