"""A keep-alive HTTP/1.1 connection that costs the client little: bytes out, times and a body back."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

from httptools import HttpResponseParser

_FIRST = b'"type":"content"'
_TURN = re.compile(rb'"turn_id":"([^"]+)"')
# One whose event is whole: the rest of a cut one comes again.
_EVENT = re.compile(rb"^id: ?(\S+)\ndata: .*\n\n", re.MULTILINE)
_TIMEOUT = 120.0


@dataclass(slots=True)
class Reply:
    """A response as it comes: the times of its first text and its end, by the performance counter."""

    status: int = 0
    body: bytearray = field(default_factory=bytearray)
    first: float = 0.0
    ended: float = 0.0


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reply = Reply()
        self._parser = HttpResponseParser(self)
        self._spoken = asyncio.Event()
        self._ended = asyncio.Event()
        self.lost = False

    @classmethod
    async def open(cls, port: int) -> Connection:
        """A connection to a port of the loopback address."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    async def request(self, raw: bytes) -> Reply:
        """The whole reply; raises ConnectionError when it is cut, TimeoutError after two minutes."""
        self._send(raw)
        async with asyncio.timeout(_TIMEOUT):
            await self._ended.wait()
        if not self._reply.ended:
            raise ConnectionError("cut")
        return self._reply

    def close(self) -> None:
        """Leaves, whatever is under way."""
        if self._transport is not None:
            self._transport.close()

    async def hold(self, raw: bytes) -> None:
        """Returns at the first text of the reply, which goes on; raises as `request`."""
        self._send(raw)
        async with asyncio.timeout(_TIMEOUT):
            await self._spoken.wait()
        if not self._reply.first:
            raise ConnectionError(f"no text: {bytes(self._reply.body[:200])!r}")

    async def first_words(self, raw: bytes) -> tuple[str, str]:
        """The turn's id and the last event's id once the first text has come; raises as `hold`."""
        await self.hold(raw)
        body = bytes(self._reply.body)
        turns, events = _TURN.findall(body), _EVENT.findall(body)
        return turns[0].decode(), events[-1].decode()

    def _send(self, raw: bytes) -> None:
        assert self._transport is not None
        self._reply = Reply()
        self._parser = HttpResponseParser(self)
        self._spoken.clear()
        self._ended.clear()
        self._transport.write(raw)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Of asyncio.Protocol."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio.Protocol."""
        self.lost = True
        self._spoken.set()
        self._ended.set()

    def on_body(self, body: bytes) -> None:
        """Of the parser."""
        self._reply.body += body
        if not self._reply.first and _FIRST in body:
            self._reply.first = time.perf_counter()
            self._spoken.set()

    def on_message_complete(self) -> None:
        """Of the parser."""
        self._reply.status = self._parser.get_status_code()
        self._reply.ended = time.perf_counter()
        self._spoken.set()
        self._ended.set()


def http_request(
    method: str, path: str, body: bytes = b"", *, content_type: str = "application/json", **headers: str
) -> bytes:
    """A request as bytes; `headers` are more of them, `_` for `-`."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
