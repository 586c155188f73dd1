"""Fetches a page: each hop checked, looked up once, connected to as checked, read within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from shared.browsing.cache import FetchedPage, PageCache, StoredPage
from shared.browsing.decode import decode_text
from shared.browsing.faults import fetch_failed, not_allowed, redirect_not_allowed
from shared.browsing.policy import Target, Verdict, decide
from shared.browsing.response import (
    AGENT,
    MAX_BODY_BYTES,
    check_page,
    connection_fault,
    content_type,
    read_body,
    request_headers,
)
from shared.browsing.robots import ALLOW_ALL, REFUSE_ALL, Robots, parse_robots
from shared.browsing.shared_pages import SharedPages
from shared.errors import ToolError
from shared.shared_cache import SharedCache
from shared.tools.port import Dialer, Resolver

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5

_MAX_ROBOTS_BYTES = 512 * 1024
_MAX_ADDRESSES = 4
_CONNECT_SECONDS = 8.0
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One response, its body read where it is wanted; `location` is set when it redirects."""

    target: Target
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    location: str | None = None


class Fetcher:
    """Fetches for one call; a host is looked up once and its checked addresses are kept for the call."""

    def __init__(
        self,
        *,
        allowed_hosts: tuple[str, ...],
        resolver: Resolver,
        dialer: Dialer,
        cache: PageCache,
        shared: SharedCache | None = None,
    ) -> None:
        self._allowed_hosts = allowed_hosts
        self._resolver = resolver
        self._dialer = dialer
        self._cache = cache
        self._shared = SharedPages(cache, shared)
        self._addresses: dict[str, tuple[str, ...]] = {}

    async def verdict(self, url: str) -> Verdict:
        """What the policy says to the URL and to the addresses of its host; nothing is sent to the host.

        A host that has no address just now keeps the verdict on its URL, and the reason says so.
        """
        verdict = decide(url, self._allowed_hosts)
        if verdict.target is None:
            return verdict
        try:
            await self._checked_addresses(verdict.target)
        except OSError:
            reason = f"{verdict.reason}, but the host's address cannot be found just now"
            return Verdict(allowed=True, reason=reason, target=verdict.target)
        except _PrivateAddressError as refusal:
            return Verdict(allowed=False, reason=str(refusal))
        return verdict

    async def fetch(self, url: str) -> FetchedPage:
        """The page at the end of at most five redirects.

        Raises:
            ToolInputError: `url_not_allowed`.
            ToolFailedError: `url_not_allowed` after a redirect, `fetch_failed`, `too_large`,
                `unsupported_content`.
        """
        verdict = decide(url, self._allowed_hosts)
        if verdict.target is None:
            raise not_allowed(verdict.reason)
        answer = await self._walk(verdict.target, robots=False)
        return _page(answer)

    async def _walk(self, start: Target, *, robots: bool) -> _Answer:
        """Follows redirects to the answer that is none; `robots` is True while reading a robots.txt."""
        target, seen = start, {start.url}
        for _ in range(MAX_REDIRECTS + 1):
            stored = None if robots else await self._shared.find(target.url)
            if stored is not None and self._cache.is_fresh(stored):
                return _from_cache(target, stored)
            if not robots:
                await self._ask_robots(target)
            answer = await self._exchange(target, stored, robots=robots)
            if answer.location is None:
                return answer
            target = self._next_hop(target, answer.location)
            if target.url in seen:
                raise fetch_failed(f"{start.url} redirects in a circle")
            seen.add(target.url)
        raise fetch_failed(f"{start.url} redirects more than {MAX_REDIRECTS} times")

    def _next_hop(self, target: Target, location: str) -> Target:
        # urljoin drops tabs and line breaks in silence: the raw text has to pass the policy's own check.
        joined = urljoin(target.url, location) if location.isprintable() else location
        verdict = decide(joined, self._allowed_hosts)
        if verdict.target is None:
            raise redirect_not_allowed(target.url, verdict.reason)
        if target.scheme == "https" and verdict.target.scheme == "http":
            raise redirect_not_allowed(target.url, "it leads from https to plain http")
        return verdict.target

    async def _ask_robots(self, target: Target) -> None:
        rules = self._cache.robots(target.origin)
        if rules is None:
            rules = await self._read_robots(target)
            # A site that is broken just now is asked again.
            if rules is not REFUSE_ALL:
                self._cache.store_robots(target.origin, rules)
        if not rules.allows(target.path):
            raise not_allowed(
                f"the robots.txt of {target.host} asks automated readers to leave {target.path[:200]} alone"
            )

    async def _read_robots(self, target: Target) -> Robots:
        """The rules at the target's origin: none where the file is absent, all refused where it is broken."""
        await self._addresses_or_fault(target)
        start = Target(scheme=target.scheme, host=target.host, path="/robots.txt")
        try:
            answer = await self._walk(start, robots=True)
        except ToolError as error:
            # RFC 9309, 2.3.1.2: a robots.txt that redirects where we may not go counts as absent.
            if error.tool_code == "url_not_allowed":
                return ALLOW_ALL
            if error.tool_code in ("too_large", "unsupported_content"):
                return REFUSE_ALL
            raise
        if answer.status >= 500:
            return REFUSE_ALL
        if answer.status != 200:
            return ALLOW_ALL
        return parse_robots(decode_text(answer.body, charset="utf-8", is_html=False), AGENT)

    async def _checked_addresses(self, target: Target) -> tuple[str, ...]:
        """The host's addresses, all of them public; raises OSError and _PrivateAddressError."""
        if target.host not in self._addresses:
            found = await self._resolver.resolve(target.host, target.port)
            if not found:
                raise OSError("no address")
            if not all(self._resolver.is_allowed(address) for address in found):
                raise _PrivateAddressError(
                    f"the name {target.host} leads to an address that is not on the public internet"
                )
            self._addresses[target.host] = found[:_MAX_ADDRESSES]
        return self._addresses[target.host]

    async def _addresses_or_fault(self, target: Target) -> tuple[str, ...]:
        try:
            return await self._checked_addresses(target)
        except OSError as error:
            raise fetch_failed(f"the host {target.host} cannot be found", retryable=True) from error
        except _PrivateAddressError as refusal:
            raise not_allowed(str(refusal)) from None

    async def _exchange(self, target: Target, stored: StoredPage | None, *, robots: bool) -> _Answer:
        """One request and its response, at the first address that takes the connection."""
        addresses = await self._addresses_or_fault(target)
        # Reading the trusted certificates takes tens of milliseconds, importing httpx hundreds.
        await asyncio.to_thread(self._dialer.tls_context)
        import httpx

        for address in addresses:
            try:
                return await self._request(target, address, stored, robots=robots)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if address == addresses[-1]:
                    raise fetch_failed(
                        f"no connection to {target.host}{connection_fault(error)}",
                        retryable=not connection_fault(error),
                    ) from error
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise fetch_failed(
                    f"{target.host} broke off or sent no proper HTTP", retryable=True
                ) from error
        raise fetch_failed(f"no connection to {target.host}", retryable=True)

    async def _request(
        self, target: Target, address: str, stored: StoredPage | None, *, robots: bool
    ) -> _Answer:
        import httpx

        host, port = self._dialer.endpoint(address, target.port)
        # The transport alone, without a client: no cookies, redirects, proxies or credentials of its own.
        transport = httpx.AsyncHTTPTransport(
            verify=self._dialer.tls_context(), trust_env=False, limits=httpx.Limits(max_connections=1)
        )
        request = httpx.Request(
            "GET",
            httpx.URL(scheme=target.scheme, host=host, port=port, raw_path=target.path.encode("ascii")),
            headers=request_headers(target, stored),
            extensions={
                "sni_hostname": target.host,
                "timeout": {"connect": _CONNECT_SECONDS, "read": None, "write": None, "pool": None},
            },
        )
        async with transport:
            response = await transport.handle_async_request(request)
            try:
                return await self._read(target, response, stored, robots=robots)
            finally:
                await response.aclose()

    async def _read(
        self, target: Target, response: httpx.Response, stored: StoredPage | None, *, robots: bool
    ) -> _Answer:
        status, headers = response.status_code, response.headers
        if status == 304 and stored is not None:
            await self._shared.share(self._cache.renew(stored, headers))
            return _from_cache(target, stored)
        location = headers.get("location") if status in _REDIRECTS else None
        if location is not None or (robots and status != 200):
            return _Answer(target=target, status=status, headers=headers, location=location)
        if not robots:
            check_page(target, status, headers)
        body = await read_body(response, _MAX_ROBOTS_BYTES if robots else MAX_BODY_BYTES)
        answer = _Answer(target=target, status=status, headers=headers, body=body)
        if not robots:
            await self._shared.share(self._cache.store(_page(answer), headers))
        return answer


class _PrivateAddressError(Exception):
    """The reason; never leaves this module."""


def _page(answer: _Answer) -> FetchedPage:
    media_type, charset = content_type(answer.headers)
    return FetchedPage(
        url=answer.target.url,
        status=answer.status,
        media_type=media_type,
        charset=charset,
        body=answer.body,
    )


def _from_cache(target: Target, stored: StoredPage) -> _Answer:
    page = stored.page
    content_type = f"{page.media_type}; charset={page.charset}" if page.charset else page.media_type
    return _Answer(target=target, status=page.status, headers={"content-type": content_type}, body=page.body)
