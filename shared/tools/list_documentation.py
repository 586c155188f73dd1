"""The tool `list_documentation`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ToolFailedError, UnavailableError
from shared.tools.documentation.markdown import Page
from shared.tools.documentation.search import pages
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
    """All pages by path; `headings_left_out` when there are too many pages to list their headings as well."""

    pages: list[ListedPage]
    headings_left_out: bool


@tool(timeout=15.0)
async def list_documentation(context: ToolContext) -> PageList:
    """Lists the pages of the platform's documentation with their headings; get_documentation reads one."""
    try:
        found = await pages(context.services.settings)
    except UnavailableError as error:
        raise ToolFailedError(f"{error.message}; answer without the documentation and say so") from error
    listed = [_listed(page, headings=True) for page in found]
    if _size(listed) <= _MOST_CHARS:
        return PageList(pages=listed, headings_left_out=False)
    return PageList(pages=[_listed(page, headings=False) for page in found], headings_left_out=True)


def _listed(page: Page, *, headings: bool) -> ListedPage:
    main = [section.own_heading for section in page.sections if section.level == 2] if headings else []
    return ListedPage(path=page.path, title=page.title, description=page.description, headings=main)


def _size(listed: Sequence[ListedPage]) -> int:
    return sum(
        len(page.path) + len(page.title) + len(page.description) + sum(map(len, page.headings))
        for page in listed
    )
