"""HTTP connections of one exchange: its own hosts only, by https, at addresses that the policy allows.

Imports aiohttp: import this module late.
"""

from __future__ import annotations

import socket
from collections.abc import Collection

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.tools.port import Dialer, Resolver

# The longest list of markets has about 20 MB; what is longer is no answer to us.
MAX_BODY_BYTES = 48 * 1024 * 1024


class RefusedError(aiohttp.ClientError):
    """The request, a redirect or the answer breaks the rules of this connection."""


class _CheckedResolver(AbstractResolver):
    """Gives aiohttp only addresses that may be connected to, as the dialer leads there."""

    def __init__(self, resolver: Resolver, dialer: Dialer) -> None:
        self._resolver = resolver
        self._dialer = dialer

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolver.resolve(host, port)
        allowed = [address for address in addresses if self._resolver.is_allowed(address)]
        if not allowed:
            raise OSError("the host has no address that may be connected to")
        results = []
        for address in allowed:
            place, place_port = self._dialer.endpoint(address, port)
            results.append(
                ResolveResult(
                    hostname=host,
                    host=place,
                    port=place_port,
                    family=socket.AF_INET6 if ":" in place else socket.AF_INET,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    async def close(self) -> None:
        """Nothing is held open."""


def open_session(*, hosts: Collection[str], resolver: Resolver, dialer: Dialer) -> aiohttp.ClientSession:
    """A session that reaches the hosts and nothing else; the caller closes it.

    Every request passes the guard, also those that follow a redirect. Proxies of the environment are not used
    and no cookies are kept.
    """

    async def guard(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        url = request.url
        if url.scheme != "https" or url.host not in hosts or url.port != 443:
            raise RefusedError("not a host of the exchange")
        response = await handler(request)
        if (response.content_length or 0) > MAX_BODY_BYTES:
            response.close()
            raise RefusedError("the answer is too long")
        return response

    connector = aiohttp.TCPConnector(
        resolver=_CheckedResolver(resolver, dialer),
        ssl=dialer.tls_context(),
        use_dns_cache=False,
        limit_per_host=4,
    )
    return aiohttp.ClientSession(
        connector=connector, trust_env=False, middlewares=(guard,), cookie_jar=aiohttp.DummyCookieJar()
    )
