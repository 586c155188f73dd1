"""Builds a page's tree within limits of elements, depth and time, keeping few attributes.

The parser hands over its events instead of building the tree itself: that would take time in the square of an
element's attributes, and minutes for a page made to that end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from shared.browsing.visible import Element

MAX_ELEMENTS = 60_000
MAX_DEPTH = 90

_KEPT = frozenset(
    {
        "alt", "aria-hidden", "class", "color", "hidden", "href", "id", "itemprop", "role", "start", "style",
    }
)  # fmt: skip
TOO_LONG = "The page is very long; its end was left out."
_MAX_VALUE = 4000
_CHUNK = 32 * 1024


@dataclass(slots=True, kw_only=True)
class PageTree:
    """The tree from its root, and what had to be left out."""

    root: Element
    notices: list[str] = field(default_factory=list)


class _FullError(Exception):
    """The page is over the limit of elements or time."""


class _Builder:
    """The parser's target."""

    def __init__(self, deadline: float) -> None:
        # lxml ships no types.
        import lxml.html  # type: ignore[import-untyped]
        from lxml import etree

        self._builder = etree.TreeBuilder(element_factory=lxml.html.HTMLParser().makeelement)
        self._deadline = deadline
        self._open: list[str] = []
        self._count = 0
        self.flattened = False

    def start(self, tag: str, attributes: Any) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or (self._count % 1024 == 0 and time.monotonic() > self._deadline):
            raise _FullError
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            self.flattened = True
            return
        kept = {name: value[:_MAX_VALUE] for name, value in attributes.items() if name in _KEPT}
        self._builder.start(tag, kept)

    def end(self, tag: str) -> None:
        if not self._open:
            return
        self._open.pop()
        if len(self._open) < MAX_DEPTH:
            self._builder.end(tag)

    def data(self, text: str) -> None:
        if self._open:
            self._builder.data(text)

    def close(self) -> Element | None:
        if not self._count:
            return None
        while self._open:
            self.end(self._open[-1])
        return self._builder.close()


def build_tree(html: str, *, deadline: float) -> PageTree | None:
    """The tree of a page, without comments; None where there is no element.

    `deadline` is a moment of time.monotonic: past it the rest of the page is left out.
    """
    from lxml import etree

    target = _Builder(deadline)
    parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True)
    data = html.replace("\x00", "").encode("utf-8", errors="replace")
    notices = []
    try:
        for at in range(0, len(data), _CHUNK):
            parser.feed(data[at : at + _CHUNK])
        root = parser.close()
    except _FullError:
        root = target.close()
        notices.append(TOO_LONG)
    except (etree.LxmlError, ValueError):
        return None
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        notices.append("The page is nested too deeply; only its beginning was read.")
    elif target.flattened:
        notices.append("Deeply nested parts of the page lost their form.")
    return PageTree(root=root, notices=notices) if root is not None else None
