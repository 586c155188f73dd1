"""Checks that the pages and headings an answer cites exist, and names the nearest where they do not."""

from __future__ import annotations

import asyncio
import difflib
import logging

from shared.errors import AppError, NotFoundError
from shared.settings import Settings
from shared.tools.documentation import consult
from shared.tools.documentation.citations import Citation, cite, exists, find_citations
from shared.tools.documentation.markdown import Page

_log = logging.getLogger(__name__)

_SECONDS = 5.0
_MOST_CHECKED = 20
_MOST_NAMED = 4
_SHOWN = 80


class CitationReview:
    """An `AnswerReview` over the documentation that the settings name.

    The pages are loaded with the first citation, and an answer without one costs a look for `.md#`. Where the
    documentation cannot be read in time nothing is said.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def review(self, answer: str) -> str | None:
        """See AnswerReview."""
        if ".md#" not in answer:
            return None
        # Two of one place are one; a README is a file of the bot, the documentation has none.
        cited = {str(citation): citation for citation in find_citations(answer) if not _is_readme(citation)}
        try:
            async with asyncio.timeout(_SECONDS):
                problems = [
                    await self._problem(citation) for citation in list(cited.values())[:_MOST_CHECKED]
                ]
        except (AppError, TimeoutError) as error:
            _log.warning("citations not checked", extra={"cause": type(error).__name__})
            return None
        wrong = [problem for problem in problems if problem is not None]
        if not wrong:
            return None
        more = f"\n- and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        return "**Citations that do not exist:**\n" + "\n".join(wrong[:_MOST_NAMED]) + more

    async def _problem(self, citation: Citation) -> str | None:
        try:
            page = (await consult.find_page(self._settings, citation.path)).value
        except NotFoundError:
            return f"- `{_shown(citation)}`: there is no such page{await self._nearest_page(citation)}."
        if exists(citation, page):
            return None
        return f"- `{_shown(citation)}`: the page has no such heading{_nearest_headings(citation, page)}."

    async def _nearest_page(self, citation: Citation) -> str:
        paths = [outline.path for outline in (await consult.outlines(self._settings)).value]
        close = difflib.get_close_matches(citation.path, paths, n=2, cutoff=0.5)
        return _nearest([f"`{path}`" for path in close])


def _nearest_headings(citation: Citation, page: Page) -> str:
    wanted = citation.heading.casefold()
    names = {name.casefold(): name for s in page.sections for name in (s.heading, s.own_heading)}
    # A bare citation runs to the end of its line: only as much of it as a heading is long can be one.
    longest = max(map(len, names), default=0)
    close = difflib.get_close_matches(wanted[: longest if citation.bare else None], names, n=2, cutoff=0.5)
    return _nearest([f"`{cite(page.path, names[name])}`" for name in close])


def _nearest(names: list[str]) -> str:
    return f"; the nearest is {' or '.join(names)}" if names else ""


def _shown(citation: Citation) -> str:
    text = str(citation)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _is_readme(citation: Citation) -> bool:
    return citation.path.rpartition("/")[2].casefold() == "readme.md"
