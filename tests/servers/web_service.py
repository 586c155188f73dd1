"""A plain HTTP service on loopback whose answers a test writes: for adapters of outside services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request; header names are lower case, the path is decoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer; `hang` sends nothing until the client leaves."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


def json_answer(value: Any, status: int = 200, **headers: str) -> Said:
    """An answer in JSON; `_` in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Said(
        status=status,
        body=orjson.dumps(value),
        headers={"content-type": "application/json", **named},
    )


@dataclass(slots=True)
class WebService:
    """The running service: `answer` may be replaced at any time."""

    answer: Callable[[Asked], Said]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [request.path for request in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                request = await _read(reader)
                self.asked.append(request)
                said = self.answer(request)
                if said.hang:
                    await reader.read()
                    return
                writer.write(_head(said) + said.body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def web_service(answer: Callable[[Asked], Said]) -> AsyncIterator[WebService]:
    """A service on a free port until the block ends."""
    service = WebService(answer)
    server = await asyncio.start_server(service._serve, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Asked(
        method=method,
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query)),
        headers=headers,
        body=body,
    )


def _head(said: Said) -> bytes:
    headers = {"content-length": str(len(said.body)), **said.headers, "connection": "close"}
    lines = [f"HTTP/1.1 {said.status} Test", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
