"""A proxy before a real server that fails as networks and servers do, when a test tells it to.

It passes bytes on as they are, so that signatures hold: the client signs for the proxy's own address, and the
server sees that address in the request.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class Faults:
    """What goes wrong: each number is of the next requests that do, the first named first.

    `refused` are answered with `status` and `body`. `cut_upload` lose the connection, both ways, when half
    of the body has gone to the server. `lost_answer` are done by the server, and their answer is dropped.
    `cut_answer` lose the connection after half of it. `bent_upload` and `bent_answer` have a bit of the body
    turned. `silent` are read and never answered.
    """

    refused: int = 0
    status: bytes = b"503 Service Unavailable"
    body: bytes = b"<Error><Code>SlowDown</Code></Error>"
    cut_upload: int = 0
    lost_answer: int = 0
    cut_answer: int = 0
    bent_upload: int = 0
    bent_answer: int = 0
    silent: int = 0
    seen: list[bytes] = field(default_factory=list)

    def take(self) -> str:
        """The fault of the next request, one fewer of it then; "" for none."""
        for name in (
            *("refused", "cut_upload", "lost_answer", "cut_answer"),
            *("bent_upload", "bent_answer", "silent"),
        ):
            left: int = getattr(self, name)
            if left:
                setattr(self, name, left - 1)
                return name
        return ""


class _Cut(Exception):
    """The connection ends here."""


class FaultyProxy:
    """The proxy, in a thread of its own; `url` is what clients are given, `faults` what it does to them."""

    def __init__(self, port: int) -> None:
        self.faults = Faults()
        self._target = port
        # A loop holds its tasks weakly: one that is silent for ever would be collected.
        self._serving: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20), self._loop
        ).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Ends the proxy and its connections."""

        async def end() -> None:
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # The transports close in the loop's next round.
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server: asyncio.StreamWriter | None = None
        self._serving.add(asyncio.current_task())
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._target)
            while True:
                await self._exchange(reader, writer, answers, server)
        # Cancelled when the proxy closes; the loop's own handler would tell of it.
        except (_Cut, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._serving.discard(asyncio.current_task())
            for end in (writer, server):
                if end is not None:
                    end.transport.abort()

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
        server: asyncio.StreamWriter,
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        self.faults.seen.append(head.split(b"\r\n", 1)[0])
        fault = self.faults.take()
        if fault == "refused":
            said = self.faults.body
            writer.write(
                b"HTTP/1.1 %b\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%b"
                % (self.faults.status, len(said), said)
            )
            return
        if fault == "silent":
            await asyncio.Event().wait()
        server.write(head + (_bent(body) if fault == "bent_upload" else body[: len(body) // 2]))
        if fault == "cut_upload":
            await server.drain()
            raise _Cut
        if fault != "bent_upload":
            server.write(body[len(body) // 2 :])
        await self._answer(fault, writer, answers, is_head=head.startswith(b"HEAD"))

    async def _answer(
        self, fault: str, writer: asyncio.StreamWriter, answers: asyncio.StreamReader, *, is_head: bool
    ) -> None:
        head = await answers.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head = await answers.readuntil(b"\r\n\r\n")
        if b"chunked" in head.lower():
            body = await _chunks(answers)
        else:
            body = b"" if is_head else await answers.readexactly(_length(head))
        if fault == "lost_answer":
            raise _Cut
        if fault == "cut_answer":
            writer.write(head + body[: len(body) // 2])
            await writer.drain()
            raise _Cut
        writer.write(head + (_bent(body) if fault == "bent_answer" else body))


@contextlib.contextmanager
def faulty_proxy(port: int) -> Iterator[FaultyProxy]:
    """A proxy before the server at that port of this machine."""
    proxy = FaultyProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


async def _chunks(answers: asyncio.StreamReader) -> bytes:
    """A chunked body, as it came."""
    body = b""
    while True:
        line = await answers.readuntil(b"\r\n")
        body += line + await answers.readexactly(int(line.split(b";")[0], 16) + 2)
        if line.strip() == b"0":
            return body


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


def _bent(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body
