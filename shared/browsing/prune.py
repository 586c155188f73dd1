"""From HTML to the tree of its main content: visible text only, plain attributes, absolute links."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from shared.browsing.tree import TOO_LONG, build_tree
from shared.browsing.visible import Element, hiding_selectors, is_hidden

_DROPPED = {
    "applet", "audio", "base", "button", "canvas", "datalist", "dialog", "embed", "footer", "frame",
    "frameset", "iframe", "input", "link", "map", "math", "menu", "meta", "nav", "noembed", "noframes",
    "noscript", "object", "option", "param", "script", "select", "source", "style", "svg", "template",
    "textarea", "track", "video",
}  # fmt: skip
_DROPPED_ROLES = {"alertdialog", "banner", "contentinfo", "dialog", "menu", "navigation", "search"}
# Beside the main content, where a page does not say what that is.
_FRAME = {"aside", "header"}
_MAIN = (
    "//main",
    "//*[@role='main']",
    "//article",
    "//*[@itemprop='articleBody']",
    "//*[@id='content' or @id='main-content' or @id='readme' or @id='main']",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' markdown-body ')]",
)
_MIN_SHARE = 0.25
_MEANINGLESS = (
    "abbr", "acronym", "bdi", "bdo", "big", "center", "cite", "dfn", "font", "ins", "label", "mark", "nobr",
    "ruby", "small", "span", "time", "tt", "u", "var", "wbr",
)  # fmt: skip
_ANCHOR_TEXTS = {"", "¶", "#", "🔗", "§"}


@dataclass(slots=True, kw_only=True)
class Pruned:
    """The main content as an lxml tree, and what was found on the way."""

    root: Element
    title: str
    hidden: int = 0
    notices: list[str] = field(default_factory=list)


def prune(html: str, url: str, *, deadline: float) -> Pruned | None:
    """The page's main content; None where there is no element at all.

    `deadline` is a moment of time.monotonic: past it the rest of the page is left out.
    """
    page = build_tree(html, deadline=deadline)
    if page is None:
        return None
    tree, notices = page.root, page.notices
    body = tree.find("body") if tree.tag == "html" else tree
    title = " ".join((tree.findtext(".//title") or "").split())
    if body is None:
        return Pruned(root=tree.makeelement("body"), title=title, notices=notices)
    base = _base(tree, url)
    selectors = frozenset().union(*(hiding_selectors(text) for text in tree.xpath("//style/text()")[:50]))
    hidden, all_seen = _drop_unseen(body, selectors, deadline)
    if not all_seen and TOO_LONG not in notices:
        notices.append(TOO_LONG)
    root = _main(tree, body)
    _plain_attributes(root, base)
    return Pruned(root=root, title=title or _heading(root), hidden=hidden, notices=notices)


def _base(tree: Element, url: str) -> str:
    """Where relative links start: the page's base element, when it leads to the web."""
    for element in tree.xpath("//base[@href]")[:1]:
        joined = _join(url, element.get("href"))
        if joined is not None:
            return joined
    return url


def _drop_unseen(body: Element, selectors: frozenset[str], deadline: float) -> tuple[int, bool]:
    """Removes scripts, furniture and hidden elements.

    The number of hidden ones that held text, and whether there was time to look at all: what was not looked
    at is removed.
    """
    hidden, late = 0, False
    for count, element in enumerate(list(body.iterdescendants())):
        if element.getparent() is None:
            continue
        late = late or (count % 512 == 0 and time.monotonic() > deadline)
        if late or _is_furniture(element):
            element.drop_tree()
        elif is_hidden(element, selectors):
            hidden += bool(element.text_content().strip())
            element.drop_tree()
    return hidden, not late


def _is_furniture(element: Element) -> bool:
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return True
    return str(element.get("role", "")).strip().lower() in _DROPPED_ROLES


def _main(tree: Element, body: Element) -> Element:
    """The element with the main content: marked as such and with a fair share of the text, else the body."""
    total = len(body.text_content())
    for path in _MAIN:
        found = tree.xpath(path)[:50]
        sizes = [len(element.text_content()) for element in found]
        if sizes and max(sizes) >= max(1, _MIN_SHARE * total):
            return found[sizes.index(max(sizes))]
    for element in list(body.iterdescendants(*_FRAME)):
        if element.getparent() is not None and len(element.text_content()) < total / 2:
            element.drop_tree()
    return body


def _heading(root: Element) -> str:
    for element in root.iter("h1", "h2"):
        text = " ".join(element.text_content().split())
        if text:
            return text
    return ""


def _plain_attributes(root: Element, base: str) -> None:
    """Keeps of each element only what its Markdown needs; links become absolute or plain text."""
    # lxml ships no types.
    from lxml import etree  # type: ignore[import-untyped]

    for element in list(root.iter()):
        kept = _kept(element, base)
        element.attrib.clear()
        element.attrib.update(kept)
        if element.tag == "a" and "href" not in kept and element is not root:
            if element.text_content().strip() in _ANCHOR_TEXTS:
                element.drop_tree()
            else:
                element.tag = "span"
    # Elements that mean nothing in Markdown, of which coloured code has one a word.
    etree.strip_tags(root, *_MEANINGLESS)


def _kept(element: Element, base: str) -> dict[str, str]:
    tag, get = element.tag, element.get
    if tag == "a":
        href = _join(base, get("href"))
        return {"href": href} if href else {}
    if tag == "img":
        return {"alt": " ".join(get("alt", "").split())[:300]}
    if tag in ("pre", "code", "div") and get("class"):
        return {"class": get("class")[:300]}
    if tag == "ol" and get("start", "").isdecimal():
        return {"start": get("start")[:9]}
    return {}


def _join(base: str, href: str | None) -> str | None:
    """The absolute form of a link to another page; None for fragments, scripts, mail and what is no link."""
    text = (href or "").strip()
    if not text or text.startswith("#") or len(text) > 1500:
        return None
    try:
        joined = urljoin(base, text)
        parts = urlsplit(joined)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return "".join(_IN_LINK.get(char, char) for char in joined)


_IN_LINK = {
    " ": "%20",
    "(": "%28",
    ")": "%29",
    "<": "%3C",
    ">": "%3E",
    '"': "%22",
    "\n": "",
    "\r": "",
    "\t": "",
}
