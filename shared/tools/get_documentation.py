"""The tool `get_documentation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from shared.errors import NotFoundError, ToolFailedError, ToolInputError, UnavailableError
from shared.tools.documentation.citations import cite
from shared.tools.documentation.consult import find_page
from shared.tools.documentation.markdown import Page
from shared.tools.port import ToolContext, tool

_MOST_CHARS = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageText:
    """A stretch of a page or of one of its sections; `next_start` is where to go on, None at the end.

    `citation` is its place, to be copied as it is; `headings` are all headings of the page, as `heading`
    takes them; `notice` says when the page may be an older one.
    """

    path: str
    title: str
    heading: str
    citation: str
    content: str
    start: int
    total_chars: int
    next_start: int | None
    headings: list[str]
    notice: str | None


@tool(timeout=15.0, untrusted=True)
async def get_documentation(
    context: ToolContext,
    path: Annotated[
        str,
        Field(
            description="a page's path as list_documentation gives it, or path#heading",
            max_length=512,
            examples=["bot-types.md", "state.md#first-run"],
        ),
    ],
    heading: Annotated[
        str | None,
        Field(description="one section; else the whole page", max_length=300),
    ] = None,
    start: Annotated[int, Field(description="character to begin at", ge=0)] = 0,
) -> PageText:
    """Reads a page of the platform's documentation, or one section of it, as Markdown."""
    try:
        found = await find_page(context.services.settings, path)
    except NotFoundError as error:
        raise ToolInputError(f"{error.message}; list_documentation tells all") from error
    except UnavailableError as error:
        raise ToolFailedError(f"{error.message}; answer without the documentation and say so") from error
    page = found.value
    wanted = heading if heading is not None else path.partition("#")[2]
    shown, text = _section(page, wanted) if wanted.strip() else ("", page.body.strip())
    if start and start >= len(text):
        raise ToolInputError(f"start is past the end: the text has {len(text)} characters")
    end = _end(text, start)
    return PageText(
        path=page.path,
        title=page.title,
        heading=shown,
        citation=cite(page.path, shown or page.sections[0].heading),
        content=text[start:end],
        start=start,
        total_chars=len(text),
        next_start=end if end < len(text) else None,
        headings=[section.heading for section in page.sections],
        notice=found.notice,
    )


def _section(page: Page, heading: str) -> tuple[str, str]:
    section = page.find(heading)
    if section is None:
        raise ToolInputError(
            f"{page.path} has no heading {heading[:100]!r}; it has: "
            + "; ".join(section.heading for section in page.sections)[:1500]
        )
    return section.heading, page.under(section)


def _end(text: str, start: int) -> int:
    """The end of the stretch, at a line's end where there is one in its second half."""
    end = start + _MOST_CHARS
    if end >= len(text):
        return len(text)
    line = text.rfind("\n", start + _MOST_CHARS // 2, end)
    return line + 1 if line >= 0 else end
