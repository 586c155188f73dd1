"""The tool `list_documentation`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ToolFailedError, UnavailableError
from shared.tools.documentation.consult import Outline, outlines
from shared.tools.port import ToolContext, tool

_MOST_CHARS = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """A page; `headings` are its main sections, in order."""

    path: str
    title: str
    description: str
    headings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageList:
    """All pages by path; `headings_left_out` when there are too many, or where the source does not tell them.

    `notice` says so when the pages are not those they should be.
    """

    pages: list[ListedPage]
    headings_left_out: bool
    notice: str | None


@tool(timeout=15.0, untrusted=True)
async def list_documentation(context: ToolContext) -> PageList:
    """Lists the pages of the platform's documentation with their headings; get_documentation reads one."""
    try:
        found = await outlines(context.services.settings)
    except UnavailableError as error:
        raise ToolFailedError(f"{error.message}; answer without the documentation and say so") from error
    listed = [_listed(outline, headings=True) for outline in found.value]
    left_out = _size(listed) > _MOST_CHARS or not any(page.headings for page in listed)
    if left_out:
        listed = [_listed(outline, headings=False) for outline in found.value]
    return PageList(pages=listed, headings_left_out=left_out, notice=found.notice)


def _listed(outline: Outline, *, headings: bool) -> ListedPage:
    return ListedPage(
        path=outline.path,
        title=outline.title,
        description=outline.description,
        headings=list(outline.headings) if headings else [],
    )


def _size(listed: Sequence[ListedPage]) -> int:
    return sum(
        len(page.path) + len(page.title) + len(page.description) + sum(map(len, page.headings))
        for page in listed
    )
