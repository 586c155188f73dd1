"""The system's name resolution, as the `Resolver` of tools/port.py."""

from __future__ import annotations

import asyncio
import socket

from shared.browsing.addresses import is_public


class SystemResolver:
    """Asks the operating system for addresses, within `timeout` seconds; allows public addresses only."""

    def __init__(self, *, timeout: float = 5.0) -> None:
        self._timeout = timeout

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            raise OSError("the name cannot be looked up") from error
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            raise OSError("the name has no address")
        return addresses

    def is_allowed(self, address: str) -> bool:
        return is_public(address)
