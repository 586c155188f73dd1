"""From a fetched page to a document a model can read: Markdown, title, links, notices."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from shared.browsing.cache import FetchedPage
from shared.browsing.decode import decode_text
from shared.browsing.faults import unsupported
from shared.browsing.visible import Element, drop_invisible

BUDGET_SECONDS = 5.0
MAX_LINKS = 40

_HTML_TYPES = ("text/html", "application/xhtml+xml")
_HTML_START = re.compile(r"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page as text; `links` are (text, absolute URL) of the main content, in its order, each URL once."""

    title: str
    text: str
    links: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()


def extract(page: FetchedPage, *, budget: float = BUDGET_SECONDS) -> Document:
    """The document of a page. Blocking, and done within about `budget` seconds: call it in a thread.

    Raises:
        ToolFailedError: `unsupported_content`, the page says it is text and is not.
    """
    is_html = page.media_type in _HTML_TYPES
    text = decode_text(page.body, charset=page.charset, is_html=is_html)
    if is_html or (page.media_type == "text/plain" and _HTML_START.match(text)):
        return _from_html(text, page.url, budget)
    if (
        page.body.count(b"\x00")
        and page.charset is None
        and not page.body.startswith((b"\xff\xfe", b"\xfe\xff"))
    ):
        raise unsupported("the page is binary data")
    return _from_text(text, page)


def _from_html(html: str, url: str, budget: float) -> Document:
    from shared.browsing.prune import prune

    started = time.monotonic()
    pruned = prune(html, url, deadline=started + budget / 2)
    if pruned is None:
        return Document(title="", text="", notices=("The page is empty.",))
    notices = list(pruned.notices)
    if pruned.hidden:
        notices.append(f"Text that readers of the page do not see was left out ({pruned.hidden} places).")
    text = _text(pruned.root, started + budget, notices)
    clean, invisible = drop_invisible(text)
    if invisible:
        notices.append(f"Invisible characters were removed ({invisible}).")
    title, _ = drop_invisible(pruned.title)
    return Document(
        title=" ".join(title.split())[:300],
        text=clean,
        links=_links(pruned.root),
        notices=tuple(notices),
    )


def _text(root: Element, deadline: float, notices: list[str]) -> str:
    from shared.browsing.markdown import OutOfTimeError, to_markdown, to_plain_text

    try:
        return to_markdown(root, deadline=deadline)
    except (OutOfTimeError, RecursionError):
        notices.append("The page is too intricate for its form to be kept; this is its plain text.")
        return to_plain_text(root)


def _links(root: Element) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for element in root.iter("a"):
        url = element.get("href")
        text, _ = drop_invisible(" ".join(element.text_content().split())[:200])
        if url and text and url not in found:
            found[url] = text
        if len(found) >= MAX_LINKS:
            break
    return tuple((text, url) for url, text in found.items())


def _from_text(text: str, page: FetchedPage) -> Document:
    notices = []
    if page.media_type == "text/markdown" or page.url.lower().split("?")[0].endswith((".md", ".rst")):
        text, hidden = re.subn(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
        if hidden:
            notices.append(f"Text that readers of the page do not see was left out ({hidden} places).")
    clean, invisible = drop_invisible(text)
    if invisible:
        notices.append(f"Invisible characters were removed ({invisible}).")
    return Document(title="", text=clean.strip("\n"), notices=tuple(notices))
