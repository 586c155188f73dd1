"""Pages that other instances have read, by way of the cache that all share."""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson

from shared.browsing.cache import FetchedPage, PageCache, StoredPage
from shared.browsing.response import MAX_BODY_BYTES
from shared.shared_cache import SharedCache

_VERSION = 1
# Longer than a page stays fresh: what is needed to ask whether it changed is of use for a while.
_SECONDS = 3600.0


class SharedPages:
    """The second level behind a `PageCache`; without a shared cache it is empty."""

    def __init__(
        self, pages: PageCache, shared: SharedCache | None, *, now: Callable[[], float] = time.time
    ) -> None:
        self._pages = pages
        self._shared = shared
        self._now = now

    async def find(self, url: str) -> StoredPage | None:
        """What is stored for the URL here, else what another instance stored."""
        stored = self._pages.find(url)
        if stored is not None or self._shared is None:
            return stored
        form = await self._shared.get(key=("page", url))
        found = _read(form, url) if form is not None else None
        if found is None:
            return None
        page, validators, fresh_until = found
        return self._pages.adopt(page, validators, seconds=fresh_until - self._now())

    async def share(self, stored: StoredPage | None) -> None:
        """Lets other instances have what was just stored or renewed here."""
        if stored is None or self._shared is None:
            return
        page = stored.page
        head = {
            "version": _VERSION,
            "url": page.url,
            "status": page.status,
            "media_type": page.media_type,
            "charset": page.charset,
            "etag": stored.etag,
            "last_modified": stored.last_modified,
            "fresh_until": self._now() + self._pages.seconds_left(stored),
        }
        form = orjson.dumps(head) + b"\n" + page.body
        await self._shared.put(key=("page", page.url), value=form, seconds=_SECONDS)


def _read(form: bytes, url: str) -> tuple[FetchedPage, dict[str, str], float] | None:
    """The page, its validators as headers and when it stops being fresh; None when it is none of ours."""
    head, _, body = form.partition(b"\n")
    try:
        values = orjson.loads(head)
        if values["version"] != _VERSION or values["url"] != url or len(body) > MAX_BODY_BYTES:
            return None
        page = FetchedPage(
            url=url,
            status=int(values["status"]),
            media_type=str(values["media_type"]),
            charset=None if values["charset"] is None else str(values["charset"]),
            body=body,
        )
        validators = {
            name: str(values[field])
            for name, field in (("etag", "etag"), ("last-modified", "last_modified"))
            if values[field] is not None
        }
        return page, validators, float(values["fresh_until"])
    except (ValueError, KeyError, TypeError):
        return None
