"""The answers of a documentation service, read with care: what does not fit is refused, not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from shared.errors import UnavailableError
from shared.outbound import Answer
from shared.tools.documentation.search import PASSAGE_CHARS, SearchResult, SearchResults

_MOST_PAGES = 2000
_LINE_CHARS = 300
_PATH = re.compile(r"[^\s\\\x00-\x1f\x7f?#]{1,400}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page of the service's list."""

    path: str
    title: str
    description: str


def read_index(answer: Answer) -> tuple[Entry, ...]:
    """The list of pages: `{"docs": [{"path", "title", "description"}]}`, or the bare list.

    Raises:
        UnavailableError: it is something else, or names no page.
    """
    entries = {}
    for item in _items(answer, "docs")[:_MOST_PAGES]:
        path = _path(item)
        if path:
            entries[path] = Entry(
                path=path, title=_line(item.get("title")) or path, description=_line(item.get("description"))
            )
    if not entries:
        raise UnavailableError("the documentation service's list names no page")
    return tuple(entries[path] for path in sorted(entries))


def read_page_text(answer: Answer) -> str:
    """A page's Markdown.

    Raises:
        UnavailableError: it is HTML: a page for readers, or of something in between.
    """
    if answer.status != 200 or "html" in answer.headers.get("content-type", "").lower():
        raise UnavailableError("the documentation service's page is no Markdown")
    return answer.body.decode("utf-8", "replace")


def read_results(answer: Answer, *, question: str, limit: int, base: str) -> SearchResults:
    """Search results in the form of our own route, addresses made whole by `base`.

    Raises:
        UnavailableError: it is something else.
    """
    items = _items(answer, "results")
    results = [_result(item, base) for item in items if _path(item)][:limit]
    if items and not results:
        raise _unreadable()
    whole = answer.json()
    total = whole.get("total_found") if isinstance(whole, dict) else None
    found = total if isinstance(total, int) and total >= len(results) else len(results)
    return SearchResults(query=question, results=results, total_found=found)


def _result(item: dict[str, Any], base: str) -> SearchResult:
    content = item.get("content")
    text = content.strip() if isinstance(content, str) else ""
    score = item.get("score")
    heading = item.get("heading")
    return SearchResult(
        title=_line(item.get("title")) or _path(item),
        # A heading that was cut would cite nothing.
        heading=heading.strip() if isinstance(heading, str) and len(heading) <= _LINE_CHARS else "",
        path=_path(item),
        url=_url(item.get("url"), base),
        content=text if len(text) <= PASSAGE_CHARS else text[:PASSAGE_CHARS].rstrip() + " …",
        score=float(score) if isinstance(score, (int, float)) else 0.0,
    )


def _items(answer: Answer, name: str) -> list[dict[str, Any]]:
    try:
        whole = answer.json()
    except ValueError:
        raise _unreadable() from None
    listed = whole.get(name) if isinstance(whole, dict) else whole
    if not isinstance(listed, list):
        raise _unreadable()
    return [item for item in listed if isinstance(item, dict)]


def _unreadable() -> UnavailableError:
    return UnavailableError("the documentation service's answer cannot be read")


def _path(item: dict[str, Any]) -> str:
    """The item's path; empty when it has none that may be asked for."""
    path = item.get("path")
    if not isinstance(path, str):
        return ""
    plain = path.strip("/")
    steps = plain.split("/")
    return plain if _PATH.fullmatch(plain) and not {"", ".", ".."} & set(steps) else ""


def _line(value: Any) -> str:
    return " ".join(value.split())[:_LINE_CHARS] if isinstance(value, str) else ""


def _url(value: Any, base: str) -> str:
    url = urljoin(f"{base}/", value) if isinstance(value, str) else ""
    return url if url.startswith(("https://", "http://")) and len(url) <= 2 * _LINE_CHARS else ""
