"""Citations of the documentation in a text: finding them, and checking that what they cite exists.

A citation is `path#heading`: the heading is the way down from the page's title joined by " > ", its last
step, or its anchor. It stands in backticks, as the target of a Markdown link, or bare in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.tools.documentation.markdown import Page, slug

_PATH = r"(?P<path>(?:[\w-]+/)*[\w.-]+\.md)"
_FENCED = re.compile(r"^(?P<mark>`{3,}|~{3,})[^\n]*\n.*?^(?P=mark)", re.DOTALL | re.MULTILINE)
_QUOTED_LINE = re.compile(r"^ {0,3}>.*$", re.MULTILINE)
_FORMS = (
    re.compile(rf"`/?{_PATH}#(?P<heading>[^`\n]+)`"),
    re.compile(rf"\]\(/?(?:api/docs/raw/)?{_PATH}#(?P<heading>[^)\n]+)\)"),
    re.compile(rf"(?<![\w/.`(#-])/?{_PATH}#(?P<heading>[^`\n]+)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A citation as it stands in a text; a bare one's `heading` runs to the end of its line."""

    path: str
    heading: str
    bare: bool = False

    def __str__(self) -> str:
        return f"{self.path}#{self.heading}"


def cite(path: str, heading: str) -> str:
    """The citation of a section; of the page where the heading is not known."""
    return f"{path}#{heading}" if heading else path


def find_citations(text: str) -> tuple[Citation, ...]:
    """The citations in a text's own words, in order; code blocks and quoted lines are left aside.

    A quotation holds the cited page's own links, which its author answers for.
    """
    own = _blank(_QUOTED_LINE, _blank(_FENCED, text))
    found: dict[int, Citation] = {}
    for form in _FORMS:
        for match in form.finditer(own):
            found.setdefault(
                match.start("path"),
                Citation(path=match["path"], heading=match["heading"].strip(), bare=form is _FORMS[-1]),
            )
        own = _blank(form, own)
    return tuple(found[place] for place in sorted(found))


def wrong_citations(text: str, pages: Iterable[Page]) -> tuple[str, ...]:
    """What is wrong with each citation that cites nothing; empty when all of them exist."""
    known = {page.path: page for page in pages}
    problems = []
    for citation in find_citations(text):
        page = known.get(citation.path)
        if page is None:
            problems.append(f"{citation}: there is no page {citation.path}")
        elif not exists(citation, page):
            problems.append(f"{citation}: {citation.path} has no such heading")
    return tuple(problems)


def exists(citation: Citation, page: Page) -> bool:
    """Whether the page has the heading that the citation names."""
    if not citation.bare:
        return page.find(citation.heading) is not None
    rest = citation.heading.casefold()
    names = (
        name for section in page.sections for name in (section.heading, section.own_heading, section.anchor)
    )
    return any(_begins(rest, name.casefold()) for name in names)


def _begins(rest: str, name: str) -> bool:
    """Whether the rest of a line begins with the name, and the name ends where a word does."""
    after = rest[len(name) : len(name) + 1]
    return bool(slug(name)) and rest.startswith(name) and not (after.isalnum() or after in ("-", "_"))


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with every match made blank, all places kept."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
