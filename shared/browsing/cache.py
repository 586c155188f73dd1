"""Pages and robots rules already read: small, bounded, in this process."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from shared.browsing.robots import Robots
from shared.tools.port import Resolver

_MAX_BYTES = 16 * 1024 * 1024
_MAX_ORIGINS = 256
_ROBOTS_SECONDS = 3600.0
# Long enough to page through a long text without asking again, short enough to see a change.
_DEFAULT_SECONDS = 60.0
_MAX_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """A page as it came, decompressed; `media_type` is lower case without parameters."""

    url: str
    status: int
    media_type: str
    charset: str | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page with what is needed to ask whether it changed."""

    page: FetchedPage
    etag: str | None
    last_modified: str | None
    fresh_until: float


class PageCache:
    """The least recently used go first when the bytes are too many."""

    def __init__(self, *, max_bytes: int = _MAX_BYTES, now: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._bytes = 0
        self._pages: OrderedDict[str, StoredPage] = OrderedDict()
        self._robots: OrderedDict[str, tuple[float, Robots]] = OrderedDict()

    def find(self, url: str) -> StoredPage | None:
        """What is stored for the URL, fresh or not."""
        stored = self._pages.get(url)
        if stored is not None:
            self._pages.move_to_end(url)
        return stored

    def is_fresh(self, stored: StoredPage) -> bool:
        """Whether the page may be used without asking the site."""
        return self._now() < stored.fresh_until

    def seconds_left(self, stored: StoredPage) -> float:
        """For how long the page may still be used without asking the site; negative when it may not."""
        return stored.fresh_until - self._now()

    def store(self, page: FetchedPage, headers: Mapping[str, str]) -> StoredPage | None:
        """Keeps the page, unless its headers forbid it: then None."""
        self._forget(page.url)
        control = headers.get("cache-control", "").lower()
        if "no-store" in control or "private" in control or len(page.body) > self._max_bytes:
            return None
        return self.adopt(page, headers, seconds=_lifetime(control))

    def adopt(self, page: FetchedPage, headers: Mapping[str, str], *, seconds: float) -> StoredPage:
        """Keeps a page that may be kept, fresh for that long within bounds; `headers` has its validators."""
        self._forget(page.url)
        stored = self._pages[page.url] = StoredPage(
            page=page,
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            fresh_until=self._now() + min(seconds, _MAX_SECONDS),
        )
        self._bytes += len(page.body)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._pages)))
        return stored

    def renew(self, stored: StoredPage, headers: Mapping[str, str]) -> StoredPage:
        """Takes the page for fresh again after the site said that it did not change."""
        control = headers.get("cache-control", "").lower()
        fresh = replace(stored, fresh_until=self._now() + _lifetime(control))
        self._pages[stored.page.url] = fresh
        return fresh

    def robots(self, origin: str) -> Robots | None:
        """The site's rules, when they were read within the hour."""
        until, rules = self._robots.get(origin, (0.0, None))
        return rules if self._now() < until else None

    def store_robots(self, origin: str, rules: Robots) -> None:
        """Keeps the site's rules for an hour."""
        self._robots[origin] = (self._now() + _ROBOTS_SECONDS, rules)
        self._robots.move_to_end(origin)
        while len(self._robots) > _MAX_ORIGINS:
            self._robots.popitem(last=False)

    def _forget(self, url: str) -> None:
        stored = self._pages.pop(url, None)
        if stored is not None:
            self._bytes -= len(stored.page.body)


def _lifetime(control: str) -> float:
    if "no-cache" in control:
        return 0.0
    match = re.search(r"max-age=([0-9]{1,9})", control)
    return min(float(match[1]), _MAX_SECONDS) if match else _DEFAULT_SECONDS


_CACHES: WeakKeyDictionary[Resolver, PageCache] = WeakKeyDictionary()


def cache_of(resolver: Resolver) -> PageCache:
    """The cache of all pages read through this resolver; it lives as long as the resolver.

    A resolver that cannot be referenced weakly gets an empty cache each time.
    """
    try:
        return _CACHES.setdefault(resolver, PageCache())
    except TypeError:
        return PageCache()
