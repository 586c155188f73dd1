"""One session's user in a load run: what it does, and what is wrong with an answer that is not right."""

from __future__ import annotations

import asyncio
import io
import random
import time
import uuid
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.connection import Connection, Reply, http_request
from bench.load_model import asking
from shared.clock import to_wire, utc_now

Publish = Callable[[str, bytes, str], Awaitable[None]]

_SECRET_FREE_CODE = (
    "def decide(price, limit):\n    if price < limit:\n        return {limit}\n    return None\n"
)
_HEARD_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class WrongAnswerError(Exception):
    """An answer that is not what the contract promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the functions are."""

    chat: int
    tools: int
    artifacts: int


@dataclass(slots=True, kw_only=True)
class Visitor:
    """A user in one session, doing one thing at a time; `turns` and `saves` count what was acknowledged."""

    ports: Ports
    user: str
    session: str
    token: str
    publish: Publish
    turns: int = 0
    events: int = 0
    saved: dict[str, bytes] = field(default_factory=dict)

    async def begin(self) -> None:
        """Makes the session and its first file."""
        await self._json(self.ports.chat, "POST", "/chat/sessions", {"session_id": self.session}, status=201)
        await self.save()

    async def stream(self) -> None:
        """A turn of words, streamed."""
        await self._turn("Tell me about the grid bot on ETH/USDT.")

    async def whole(self) -> None:
        """A turn answered whole."""
        found = await self._json(self.ports.chat, "POST", "/chat", self._message("Tell me about fees."))
        if not found["response"].startswith("word 0 "):
            raise WrongAnswerError("another text")
        self.turns += 1

    async def tool_turn(self) -> None:
        """A turn that searches the documentation, or saves a file, by the tools function."""
        if random.random() < 0.5:
            asked = asking("search_documentation", {"query": "how do I keep state between runs"})
        else:
            content = f"# Notes\n\n{uuid.uuid4().hex}\n"
            asked = asking("save_artifact", {"filename": "notes.md", "content": content})
        reply = await self._turn(f"Look it up.{asked}")
        if b'"status":"ok"' not in reply.body:
            raise WrongAnswerError("no tool result")

    async def left_stream(self) -> None:
        """A turn whose client goes away at the first word and takes the stream up again."""
        raw = self._request("POST", "/chat/stream", self._message("Tell me slowly."))
        connection = await Connection.open(self.ports.chat)
        try:
            turn_id, last = await connection.first_words(raw)
        finally:
            connection.close()
        path = f"/chat/turns/{turn_id}/stream"
        self._check_stream(await self._send(self.ports.chat, "GET", path, last_event_id=last))
        self.turns += 1

    async def tool_call(self) -> None:
        """A tool called directly."""
        given = {"arguments": {"query": "schedule a bot", "limit": 3}, "session_id": self.session}
        found = await self._json(self.ports.tools, "POST", "/tools/search_documentation", given)
        if found["status"] != "ok":
            raise WrongAnswerError(f"tool: {found['error']['code']}")

    async def save(self) -> None:
        """A new version of a file."""
        name = f"bot-{random.randrange(4)}.py"
        data = _SECRET_FREE_CODE.replace("{limit}", str(uuid.uuid4().int)).encode()
        reply = await self._send(
            self.ports.artifacts, "PUT", f"/artifacts/session/{self.session}/{name}", data, status=(200, 201)
        )
        orjson.loads(reply.body)
        self.saved[name] = data

    async def read(self) -> None:
        """A file read, and compared with what was saved."""
        name, data = random.choice(list(self.saved.items()))
        found = await self._json(
            self.ports.artifacts, "GET", f"/artifacts/session/{self.session}/{name}", None
        )
        if found["content"].encode() != data:
            raise WrongAnswerError("other bytes")

    async def zip(self) -> None:
        """The session's files as an archive, and whether it holds what was saved."""
        path = f"/artifacts/download?session_id={self.session}"
        reply = await self._send(self.ports.artifacts, "GET", path)
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            for name, data in self.saved.items():
                if archive.read(name) != data:
                    raise WrongAnswerError("other bytes in the archive")

    async def history(self) -> None:
        """The newest page of messages, and whether all turns are in it that were answered."""
        path = f"/chat/sessions/{self.session}/messages?limit=200"
        found = await self._json(self.ports.chat, "GET", path, None)
        answers = sum(message["role"] == "assistant" for message in found)
        if answers < min(self.turns, 100):
            raise WrongAnswerError(f"{answers} answers of {self.turns} turns")

    async def event(self) -> None:
        """An event on NATS, until the session tells of it."""
        # A number: words that look like a credential are masked before they are kept.
        mark = random.randrange(10**14, 10**15)
        data = {"session_id": self.session, "user_id": self.user, "metrics": {"trades": mark}}
        body = {"type": "backtest.completed", "timestamp": to_wire(utc_now()), "data": data}
        await self.publish("backtest.completed", orjson.dumps(body), uuid.uuid4().hex)
        self.events += 1
        deadline = time.monotonic() + _HEARD_SECONDS
        while True:
            found = await self._send(self.ports.chat, "GET", f"/chat/sessions/{self.session}")
            if str(mark).encode() in found.body:
                return
            if time.monotonic() > deadline:
                raise WrongAnswerError("not heard of")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _turn(self, message: str) -> Reply:
        reply = await self._send(self.ports.chat, "POST", "/chat/stream", self._message(message))
        self._check_stream(reply)
        self.turns += 1
        return reply

    def _check_stream(self, reply: Reply) -> None:
        if b'"type":"error"' in reply.body:
            code = bytes(reply.body).partition(b'"code":"')[2].partition(b'"')[0]
            raise WrongAnswerError(f"stream: {code.decode()}")
        if b"data: [DONE]" not in reply.body or b'"type":"complete"' not in reply.body:
            raise WrongAnswerError("stream: cut")
        if b"word 19 " not in reply.body:
            raise WrongAnswerError("stream: text missing")

    def _message(self, message: str) -> bytes:
        return orjson.dumps({"message": message, "session_id": self.session})

    async def _json(self, port: int, method: str, path: str, body: Any, *, status: int = 200) -> Any:
        raw = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        return orjson.loads((await self._send(port, method, path, raw, status=(status,))).body)

    async def _send(
        self,
        port: int,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        status: tuple[int, ...] = (200,),
        **headers: str,
    ) -> Reply:
        connection = await Connection.open(port)
        try:
            reply = await connection.request(self._request(method, path, body, **headers))
        finally:
            connection.close()
        if reply.status not in status:
            code = bytes(reply.body).partition(b'"code":"')[2].partition(b'"')[0].decode()
            raise WrongAnswerError(f"status {reply.status} {code}")
        return reply

    def _request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        kind = "application/octet-stream" if method == "PUT" else "application/json"
        return http_request(
            method, path, body, content_type=kind, authorization=f"Bearer {self.token}", **headers
        )


# What a visitor does between two pauses, and how often of all.
OPERATIONS: tuple[tuple[str, int], ...] = (
    ("stream", 5),
    ("whole", 2),
    ("tool_turn", 3),
    ("left_stream", 1),
    ("tool_call", 2),
    ("save", 3),
    ("read", 3),
    ("zip", 1),
    ("history", 2),
    ("event", 3),
)
