"""The platform's documentation service over HTTP, with its list and pages kept and refreshed by ETag.

The platform's site answers three routes (alexanderwanyoike/the0, docs/src/app/api/docs): the list of pages
at `/api/docs/raw`, a page as Markdown at `/api/docs/raw/{path}`, and the search at `/api/docs/search`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote, urljoin, urlsplit

from shared.errors import NotFoundError, TooLargeError, UnavailableError
from shared.outbound import Answer, exchange
from shared.settings import Settings
from shared.tools.documentation.markdown import Page, parse_page
from shared.tools.documentation.search import SearchResults, no_such_page
from shared.tools.documentation.service_answers import Entry, read_index, read_page_text, read_results

FRESH_SECONDS = 60.0
"""How long the list or a page is used without asking whether it changed."""

REST_SECONDS = 15.0
"""How long a service that did not answer is left alone."""

_TIMEOUT = 5.0
_MAX_BYTES = 2 * 1024 * 1024
_MOST_KEPT = 100
_MOVED = (301, 302, 307, 308)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What the service said; `stale` when it could not be asked whether that still holds."""

    value: T
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    value: Any
    etag: str | None
    checked: float


class DocumentationService:
    """The service at one address; safe to share, opens nothing between calls."""

    def __init__(
        self, base_url: str, *, timeout: float = _TIMEOUT, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._base = base_url.rstrip("/")
        self._timeout = timeout
        self._now = now
        self._stored: OrderedDict[str, _Stored] = OrderedDict()
        self._rests_until = float("-inf")

    async def index(self) -> Kept[tuple[Entry, ...]]:
        """All pages.

        Raises:
            UnavailableError: the service cannot be asked and was never asked before, or is none.
        """
        try:
            return await self._kept("/api/docs/raw", read_index)
        except NotFoundError:
            raise UnavailableError("the documentation service has no list of pages") from None

    async def page(self, path: str) -> Kept[Page]:
        """The page of this path; a leading slash, a missing or superfluous `.md` and a page's address are
        understood. Only paths of the list are asked for.

        Raises:
            NotFoundError: there is no such page; the message names the nearest ones.
            UnavailableError: as `index`.
        """
        index = await self.index()
        entries = {entry.path: entry for entry in index.value}
        wanted = path.strip().partition("#")[0].removeprefix("/api/docs/raw/").strip("/")
        forms = (wanted, f"{wanted}.md", wanted.removesuffix(".md"), f"{wanted}/index.md", f"{wanted}/index")
        entry = next((entries[form] for form in forms if form in entries), None)
        if entry is None:
            raise no_such_page(wanted, list(entries))
        kept = await self._kept(f"/api/docs/raw/{quote(entry.path)}", read_page_text)
        page = await asyncio.to_thread(parse_page, entry.path, kept.value)
        if page.title == page.path:
            page = replace(page, title=entry.title)
        described = page if page.description else replace(page, description=entry.description)
        return Kept(described, stale=kept.stale)

    async def search(self, question: str, limit: int) -> SearchResults:
        """The sections that answer a question, as the service ranks them.

        Raises:
            UnavailableError: the service does not answer, or not as a documentation service does.
        """
        try:
            answer = await self._ask("/api/docs/search", parameters={"q": question, "limit": str(limit)})
        except NotFoundError:
            raise UnavailableError("the documentation service has no search") from None
        return read_results(answer, question=question, limit=limit, base=self._base)

    async def _kept(self, path: str, read: Callable[[Answer], T]) -> Kept[T]:
        """What is kept for the path, asked for again when it is no longer fresh."""
        stored = self._stored.get(path)
        if stored is not None and self._now() - stored.checked < FRESH_SECONDS:
            return Kept(cast(T, stored.value))
        headers = {"If-None-Match": stored.etag} if stored is not None and stored.etag else None
        try:
            answer = await self._ask(path, headers=headers)
            if answer.status == 304 and stored is not None:
                value, etag = cast(T, stored.value), stored.etag
            else:
                value, etag = read(answer), answer.headers.get("etag")
        except UnavailableError:
            if stored is None:
                raise
            return Kept(cast(T, stored.value), stale=True)
        self._keep(path, _Stored(value=value, etag=etag, checked=self._now()))
        return Kept(value)

    def _keep(self, path: str, stored: _Stored) -> None:
        self._stored[path] = stored
        self._stored.move_to_end(path)
        while len(self._stored) > _MOST_KEPT:
            self._stored.popitem(last=False)

    async def _ask(
        self,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A 200 or 304; one move within the service, such as to a trailing slash, is followed."""
        if self._now() < self._rests_until:
            raise UnavailableError("the documentation service did not answer a moment ago")
        url = self._base + path
        ends = asyncio.get_running_loop().time() + self._timeout
        answer = await self._get(url, parameters, headers, ends)
        if answer.status in _MOVED:
            target = urljoin(url, answer.headers.get("location", ""))
            if urlsplit(target)[:2] == urlsplit(url)[:2]:
                answer = await self._get(target, parameters if "?" not in target else None, headers, ends)
        if answer.status == 404:
            raise NotFoundError("the documentation service does not have it")
        if answer.status >= 500:
            self._rests_until = self._now() + REST_SECONDS
        if answer.status not in (200, 304):
            raise UnavailableError(f"the documentation service answers with status {answer.status}")
        return answer

    async def _get(
        self, url: str, parameters: Mapping[str, str] | None, headers: Mapping[str, str] | None, ends: float
    ) -> Answer:
        try:
            return await exchange(
                "GET",
                url,
                parameters=parameters,
                headers=headers,
                seconds=ends - asyncio.get_running_loop().time(),
                max_bytes=_MAX_BYTES,
            )
        except (TimeoutError, UnavailableError, TooLargeError) as error:
            self._rests_until = self._now() + REST_SECONDS
            raise UnavailableError("the documentation service does not answer") from error


def documentation_service(settings: Settings) -> DocumentationService | None:
    """The service that the settings name, one a process, or None."""
    return _service(settings.docs_api_url) if settings.docs_api_url else None


@cache
def _service(base_url: str) -> DocumentationService:
    return DocumentationService(base_url)
