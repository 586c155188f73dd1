"""A TCP proxy before a Postgres server that cuts a connection at a commit: before it, or before its answer.

It reads the client's messages as far as it must (PostgreSQL's frontend protocol 3.0: a type byte, a length
of four bytes that counts itself, the body) and passes all bytes on as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Cut = Literal["before", "after"]

_CHUNK = 65536
_HEAD = 5
_QUERY = b"Q"
_PARSE = b"P"


class CommitProxy:
    """`url` leads to the database through it; `cut` says what happens at the next commits.

    `before`: the commit never reaches the server. `after`: it does, and its answer is lost. `times`
    is how many more commits are cut, after `skip` that pass, `cuts` how many were.
    """

    def __init__(self, database_url: str) -> None:
        self._target = urlsplit(database_url)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""
        self.cut: Cut = "after"
        self.skip = 0
        self.times = 0
        self.cuts = 0

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        target = self._target
        self.url = urlunsplit(target._replace(netloc=f"{target.username}@127.0.0.1:{port}"))

    async def close(self) -> None:
        """Ends all connections."""
        assert self._server is not None
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        up_reader, up_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        answering = _Answers(up_reader, writer)
        back = asyncio.create_task(answering.pass_on())
        try:
            await self._requests(reader, up_writer, answering)
        except (ConnectionError, asyncio.IncompleteReadError):
            # Either side has gone: so does the other.
            up_writer.close()
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for each in (up_writer, writer):
                each.transport.abort()
            self._connections.discard(task)

    async def _requests(
        self, reader: asyncio.StreamReader, up: asyncio.StreamWriter, answering: _Answers
    ) -> None:
        # The first message has no type; the client's wish for TLS looks the same, and is refused.
        await self._pass_untyped(reader, up)
        while True:
            head = await reader.readexactly(_HEAD)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if not self._cuts(head[:1], body):
                up.write(head + body)
                await up.drain()
                continue
            if self.cut == "before":
                return
            answering.swallow()
            up.write(head + body)
            await up.drain()
            await answering.swallowed()
            return

    def _cuts(self, kind: bytes, body: bytes) -> bool:
        if not (self.times and _is_commit(kind, body)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        self.cuts += 1
        return True

    @staticmethod
    async def _pass_untyped(reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        while True:
            length = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(length, "big") - 4)
            up.write(length + body)
            await up.drain()
            # Protocol 3.0 is the start itself; other codes ask for encryption first.
            if body[:4] == b"\x00\x03\x00\x00":
                return


class _Answers:
    """Passes the server's bytes on until the answer to a commit is to be lost."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._swallow = False
        self._lost = asyncio.Event()

    def swallow(self) -> None:
        """What comes from now on is lost."""
        self._swallow = True

    async def swallowed(self) -> None:
        """Returns when an answer was lost: the server has done what it was asked."""
        async with asyncio.timeout(10):
            await self._lost.wait()

    async def pass_on(self) -> None:
        """Until the server closes."""
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(_CHUNK):
                if self._swallow:
                    self._lost.set()
                    continue
                self._writer.write(data)
                await self._writer.drain()
        self._writer.close()


def _is_commit(kind: bytes, body: bytes) -> bool:
    return kind in (_QUERY, _PARSE) and b"COMMIT" in body


@asynccontextmanager
async def commit_proxy(database_url: str) -> AsyncIterator[CommitProxy]:
    """A proxy before that database."""
    proxy = CommitProxy(database_url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
