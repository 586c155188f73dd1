"""Builds a page's tree within limits of elements, depth and time, keeping few attributes.

The parser hands over its events instead of building the tree itself: that would take time in the square of an
element's attributes, and minutes for a page made to that end.
"""

from __future__ import annotations

import re
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
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
# Characters that a tree cannot hold; they come in plain and as references (`&#7;`).
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
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
        self._events = 0
        self.flattened = False

    def start(self, tag: str, attributes: Any) -> None:
        self._tick()
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise _FullError
        self._open.append(tag)
        if len(self._open) > MAX_DEPTH:
            self.flattened = True
            return
        kept = {
            name: _NO_XML.sub("", value[:_MAX_VALUE]) for name, value in attributes.items() if name in _KEPT
        }
        self._builder.start(_tag(tag), kept)

    def end(self, tag: str) -> None:
        if not self._open:
            return
        self._open.pop()
        if len(self._open) < MAX_DEPTH:
            self._builder.end(_tag(tag))

    def data(self, text: str) -> None:
        self._tick()
        if self._open:
            self._builder.data(_NO_XML.sub("", text))

    def _tick(self) -> None:
        self._events += 1
        if self._events % 1024 == 0 and time.monotonic() > self._deadline:
            raise _FullError

    def close(self) -> Element | None:
        if not self._count:
            return None
        while self._open:
            self.end(self._open[-1])
        return self._builder.close()


def _tag(name: str) -> str:
    """The name, or that of an element without meaning for what could not be a name in a tree."""
    return name if _NAME.fullmatch(name) else "span"


def build_tree(html: str, *, deadline: float) -> PageTree | None:
    """The tree of a page, without comments; None where there is no element.

    `deadline` is a moment of time.monotonic: past it the rest of the page is left out.
    """
    from lxml import etree

    target = _Builder(deadline)
    parser = etree.HTMLParser(target=target, encoding="utf-8", no_network=True)
    data = _NO_XML.sub("", html.replace("\x0c", " ")).encode("utf-8")
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
