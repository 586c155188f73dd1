"""From a pruned tree to Markdown, by BeautifulSoup and markdownify, within a time budget."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from shared.browsing.visible import Element

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_LANGUAGE = re.compile(
    r"(?:^|\s)(?:language|lang|highlight-source|highlight|brush:)-?\s*([A-Za-z0-9+#]{1,20})"
)
_LONG_RUN = re.compile("`{10,}")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")


class OutOfTimeError(Exception):
    """The budget is used up; the caller falls back to plain text."""


def to_markdown(root: Element, *, deadline: float) -> str:
    """The tree as Markdown: ATX headings, dash lists, fenced code, images as their alternative text.

    Raises:
        OutOfTimeError: `deadline`, a moment of time.monotonic, has passed.
    """
    from bs4 import BeautifulSoup, Tag

    # lxml ships no types.
    from lxml import etree  # type: ignore[import-untyped]

    source = etree.tostring(root, encoding="unicode", method="html", with_tail=False)
    soup = BeautifulSoup(source, "lxml", element_classes={Tag: _page_tag()})
    text = _converter(deadline).convert_soup(soup)
    return _BLANK_LINES.sub("\n\n", text).strip()


def to_plain_text(root: Element) -> str:
    """The text of the tree, a line for each stretch."""
    return "\n".join(line for piece in root.itertext() if (line := " ".join(piece.split())))


def _page_tag() -> Any:
    from bs4 import Tag

    class _PageTag(Tag):
        def find_parent(self, name: Any = None, *args: Any, **kwargs: Any) -> Any:
            # markdownify asks this of every element, always by a plain name; the general search behind it
            # takes half of the whole time.
            parent = self.parent
            while parent is not None and parent.name != name:
                parent = parent.parent
            return parent

    return _PageTag


def _converter(deadline: float) -> Any:
    from markdownify import MarkdownConverter

    class _PageConverter(MarkdownConverter):
        def process_tag(self, node: BeautifulSoup | Tag, parent_tags: set[str] | None = None) -> str:
            if time.monotonic() > deadline:
                raise OutOfTimeError
            # markdownify's stub leaves the method out.
            return str(super().process_tag(node, parent_tags=parent_tags))  # type: ignore[misc]

        def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
            # The address is left out: a picture's address is a way to send data away.
            alt = el.get("alt")
            return f"[image: {alt}]" if alt else ""

        def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
            code = text.strip("\n")
            if not code.strip():
                return ""
            code = _LONG_RUN.sub("`" * 9, code)
            longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
            fence = "`" * (longest + 1)
            return f"\n\n{fence}{_language(el)}\n{code}\n{fence}\n\n"

    return _PageConverter(
        heading_style="atx", bullets="-", escape_asterisks=False, escape_underscores=False, strip=["video"]
    )


def _language(pre: Tag) -> str:
    """The language of a code block, as pages name it in the class of the block, its code or its frame."""
    near = [pre.find("code"), pre, pre.parent, pre.parent.parent if pre.parent else None]
    for element in near:
        names = element.get("class") if element is not None else None
        match = _LANGUAGE.search(" ".join(names) if isinstance(names, list) else str(names or ""))
        if match and match[1].lower() not in ("default", "source", "none", "notranslate"):
            return match[1].lower()
    return ""
