"""The clients of a server under test, in a process of their own, so that they do not take its time."""

from __future__ import annotations

import argparse
import re
import time
import uuid
from typing import Any

import orjson

from bench.callers import Caller, Sample
from bench.connection import Connection, Reply, http_request
from bench.prompt import MESSAGE
from bench.worker import Command, serve

_CODE = re.compile(rb'"code":"(\w+)"')


class HttpCaller:
    """Turns by `POST /chat/stream`, each client on its own keep-alive connection."""

    def __init__(self, port: int, enable_tools: bool) -> None:
        self.port = port
        self._enable_tools = enable_tools
        self._connections: dict[int, Connection] = {}
        self._sessions: dict[int, str] = {}

    async def turn(self, client: int, *, fresh: bool) -> Sample:
        """See Caller."""
        if fresh:
            self._sessions[client] = f"bench-{uuid.uuid4().hex}"
        raw = self._chat(self._sessions[client])
        try:
            connection = await self._connection(client)
            started = time.perf_counter()
            reply = await connection.request(raw)
        except (OSError, TimeoutError) as error:
            return Sample(0.0, 0.0, type(error).__name__)
        if reply.status != 200:
            return Sample(0.0, 0.0, f"status {reply.status}")
        if broken := _what_broke(reply):
            return Sample(0.0, 0.0, broken)
        return Sample(reply.first - started, reply.ended - started)

    async def hold(self, client: int) -> None:
        """See Caller."""
        connection = await self._connection(client)
        await connection.hold(self._chat(f"bench-{uuid.uuid4().hex}"))

    def _chat(self, session_id: str) -> bytes:
        body = {"message": MESSAGE, "session_id": session_id, "enable_tools": self._enable_tools}
        return http_request("POST", "/chat/stream", orjson.dumps(body))

    async def _connection(self, client: int) -> Connection:
        found = self._connections.get(client)
        if found is None or found.lost:
            found = self._connections[client] = await Connection.open(self.port)
        return found


def _what_broke(reply: Reply) -> str:
    """Why a stream is no whole answer, in a word; empty when it is one."""
    if b'"type":"error"' in reply.body:
        found = _CODE.search(reply.body)
        return found[1].decode() if found else "error"
    if b"data: [DONE]" not in reply.body:
        return "cut"
    return "" if reply.first else "no text"


def _plain_requests(caller: HttpCaller) -> Command:
    """The command `requests`: seconds of each of `count` like requests on one connection, in order."""

    async def requests(given: dict[str, Any]) -> list[float]:
        connection = await Connection.open(caller.port)
        raw = http_request(given["method"], given["path"], given["body"].encode())
        seconds: list[float] = []
        for _ in range(given["count"]):
            started = time.perf_counter()
            reply = await connection.request(raw)
            if reply.status != given["status"]:
                raise ValueError(f"status {reply.status}: {bytes(reply.body[:300])!r}")
            seconds.append(reply.ended - started)
        return seconds

    return requests


def main() -> None:
    """Makes turns on command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tools", action="store_true", help="let the model see the tools")
    arguments = parser.parse_args()

    async def opened() -> Caller:
        return HttpCaller(arguments.port, arguments.tools)

    serve(opened, requests=_plain_requests)


if __name__ == "__main__":
    main()
