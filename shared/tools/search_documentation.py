"""The tool `search_documentation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from shared.errors import InvalidRequestError, ToolFailedError, ToolInputError, UnavailableError
from shared.tools.documentation.citations import cite
from shared.tools.documentation.consult import search
from shared.tools.documentation.search import LONGEST_QUERY, SearchResult
from shared.tools.port import ToolContext, tool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSection:
    """A section that answers; `content` is its telling passage, `citation` its place, to be copied."""

    title: str
    heading: str
    path: str
    citation: str
    url: str
    content: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSections:
    """The best sections, and how many were found in all; `notice` says when the pages may be older ones."""

    query: str
    results: list[FoundSection]
    total_found: int
    notice: str | None


@tool(timeout=15.0, untrusted=True)
async def search_documentation(
    context: ToolContext,
    query: Annotated[
        str,
        Field(
            description="a question or a few keywords; flags, file and variable names as they are written",
            max_length=LONGEST_QUERY,
            examples=["how do I keep data between runs", "BOT_CONFIG", "the0 bot logs --limit"],
        ),
    ],
    limit: Annotated[int, Field(description="how many sections", ge=1, le=20)] = 5,
) -> FoundSections:
    """Searches the platform's documentation by heading; use it before you say anything about the platform.

    Cite what you use by its `citation`. No results: the documentation does not say, so tell the user that.
    """
    try:
        found = await search(context.services.settings, query, limit)
    except InvalidRequestError as error:
        raise ToolInputError(error.message) from error
    except UnavailableError as error:
        raise ToolFailedError(f"{error.message}; answer without the documentation and say so") from error
    return FoundSections(
        query=found.value.query,
        results=[_section(result) for result in found.value.results],
        total_found=found.value.total_found,
        notice=found.notice,
    )


def _section(result: SearchResult) -> FoundSection:
    return FoundSection(
        title=result.title,
        heading=result.heading,
        path=result.path,
        citation=cite(result.path, result.heading),
        url=result.url,
        content=result.content,
        score=result.score,
    )
