"""A client of the agent's WebSocket, as a frontend would write it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.servers.agent import Agent

WAIT_SECONDS = 30.0


@dataclass(slots=True)
class Reply:
    """The frames of one message up to the one that ends it."""

    frames: list[dict[str, Any]] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any]:
        """The frame that ended it: `response` or `error`."""
        return self.frames[-1]

    @property
    def text(self) -> str:
        """All content deltas, joined."""
        return "".join(frame["content"] for frame in self.frames if frame["type"] == "content")

    @property
    def turn_id(self) -> str:
        """The turn that answered."""
        turn_id: str = self.frames[0]["turn_id"]
        return turn_id


@dataclass(slots=True)
class Socket:
    """An open socket."""

    connection: ClientConnection

    async def say(self, message: str, **fields: Any) -> None:
        """Sends a message's frame."""
        await self.send({"message": message, **fields})

    async def send(self, frame: Any) -> None:
        """Sends a frame: text and bytes as they are, anything else as JSON."""
        await self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def next(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(WAIT_SECONDS):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        return frame

    async def until(self, **fields: Any) -> list[dict[str, Any]]:
        """The frames up to the one that has these fields."""
        frames = [await self.next()]
        while any(frames[-1].get(name) != value for name, value in fields.items()):
            frames.append(await self.next())
        return frames

    async def reply(self) -> Reply:
        """The frames up to the next `response` or `error`."""
        frames = [await self.next()]
        while frames[-1]["type"] not in ("response", "error"):
            frames.append(await self.next())
        return Reply(frames)

    async def ask(self, message: str, **fields: Any) -> Reply:
        """Says a message and reads its reply."""
        await self.say(message, **fields)
        return await self.reply()

    async def closed(self) -> int:
        """The code with which the server closes; frames before it are dropped."""
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


@asynccontextmanager
async def socket_to(
    agent: Agent,
    session_id: str,
    *,
    user: str | None = None,
    protocols: list[str] | None = None,
    origin: str | None = None,
    path: str | None = None,
    **headers: str,
) -> AsyncIterator[Socket]:
    """A socket of a session; closed at the end of the block."""
    url = agent.url.replace("http", "ws") + (path or f"/ws/agent/{session_id}")
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if origin is not None:
        sent["Origin"] = origin
    async with connect(
        f"{url}?user_id={user}" if user else url,
        additional_headers=sent,
        # The library's type is a name for str.
        subprotocols=protocols,  # type: ignore[arg-type]
        proxy=None,
        max_size=None,
        close_timeout=2,
        open_timeout=WAIT_SECONDS,
    ) as connection:
        yield Socket(connection)
