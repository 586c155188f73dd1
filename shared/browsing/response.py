"""What is asked of a site and what is taken for a page: request headers, status, media type, body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.browsing.cache import StoredPage
from shared.browsing.decode import ACCEPT_ENCODING, BodyReader
from shared.browsing.faults import fetch_failed, too_large, unsupported
from shared.browsing.policy import Target

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES = 2 * 1024 * 1024
AGENT = "the0-agent"
USER_AGENT = f"{AGENT}/0.1 (reads single pages when a user asks; +https://the0.dev)"

_READ_TYPES = re.compile(r"text/[a-z0-9.+_-]+|application/(?:[a-z0-9.+_-]+\+)?(?:json|xml)")


def request_headers(target: Target, stored: StoredPage | None) -> dict[str, str]:
    """Our own few headers, with the validators of a stored page."""
    headers = {
        "Host": target.host,
        "User-Agent": USER_AGENT,
        "Accept": "text/html, text/*;q=0.9, application/json;q=0.8, application/xml;q=0.8",
        "Accept-Language": "en, *;q=0.5",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
    }
    if stored is not None and stored.etag:
        headers["If-None-Match"] = stored.etag
    if stored is not None and stored.last_modified:
        headers["If-Modified-Since"] = stored.last_modified
    return headers


def content_type(headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The media type in lower case and the charset parameter."""
    first, *parameters = headers.get("content-type", "").split(";")
    media_type = first.strip().lower()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return media_type, value.strip().strip('"')[:40] or None
    return media_type, None


def check_page(target: Target, status: int, headers: Mapping[str, str]) -> None:
    """Returns for a page; raises ToolFailedError for another status, type or a length over the limit."""
    if status != 200:
        raise fetch_failed(_status_advice(target, status), retryable=status == 429 or status >= 500)
    media_type, _ = content_type(headers)
    if not _READ_TYPES.fullmatch(media_type):
        raise unsupported(f"the page is of type {media_type[:80] or 'unknown'}")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MAX_BODY_BYTES:
        raise too_large(MAX_BODY_BYTES)


def _status_advice(target: Target, status: int) -> str:
    if status in (404, 410):
        return f"there is no page {target.url} (status {status}): check the address, or search for it"
    if status in (401, 403):
        return f"{target.host} does not show {target.path[:200]} without signing in (status {status})"
    if status == 429 or status >= 500:
        return f"{target.host} answered with status {status}; try later or use another page"
    return f"{target.host} answered with status {status} instead of a page"


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The decompressed body; raises ToolFailedError as BodyReader does."""
    reader = BodyReader(encoding=response.headers.get("content-encoding", ""), limit=limit)
    async for chunk in response.aiter_raw():
        reader.feed(chunk)
    return reader.finish()


def connection_fault(error: Exception) -> str:
    """What the connection failed on, where it is the certificate."""
    return ": its certificate does not hold" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
