"""Updates of made-up turns, and reading a bus to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from shared.agent.updates import (
    START,
    ApprovalUpdate,
    ArtifactsUpdate,
    CompleteUpdate,
    ContentUpdate,
    Position,
    SessionUpdate,
    ToolCallUpdate,
    ToolResultUpdate,
    Update,
)
from shared.messages import ToolCall, ToolFault, ToolResult, Usage
from shared.redis.breaker import Breaker
from shared.redis.client import RedisClient
from shared.redis.turn_bus import RedisBus
from shared.sealing import Keyring
from tests.servers.valkey import ValkeyServer

KEYS = Keyring((b"k" * 32,))
ODD = "Ünï\x00c\ud800 \U0001f916"
USER, TURN = "alice@example.com", "turn-1"

WHOLE: tuple[Update, ...] = (
    SessionUpdate(Position(0, 0), TURN),
    ContentUpdate(Position(1, 5), "I see"),
    ContentUpdate(Position(1, 5 + len(ODD)), ODD),
    ToolCallUpdate(
        Position(1, 20),
        ToolCall(id="c", name="save_artifact", arguments={"n": 2**70, "t": ODD}, signature="s"),
    ),
    ToolResultUpdate(
        Position(2, 0),
        ToolResult(
            id="c", name="save_artifact", status="ok", result={"a": [1, None]}, artifacts=("main.py",)
        ),
    ),
    ArtifactsUpdate(Position(2, 1), ("main.py", "README.md")),
    ToolResultUpdate(
        Position(3, 0),
        ToolResult(
            id="d", name="x", status="error", error=ToolFault(code="timeout", message="late", retryable=True)
        ),
    ),
    ApprovalUpdate(Position(4, 0), "e", "deploy_bot", {"name": "b"}, datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ContentUpdate(Position(5, 4), "\n\nDone"),
    CompleteUpdate(Position(6, 0), TURN, Usage(input_tokens=3, output_tokens=4), "stop"),
)


def text(count: int, turn_id: str = TURN) -> Iterator[Update]:
    """A turn that says `count` pieces of four characters."""
    yield SessionUpdate(Position(0, 0), turn_id)
    for number in range(1, count + 1):
        yield ContentUpdate(Position(1, 4 * number), f"{number:04}"[-4:])
    yield CompleteUpdate(Position(2, 0), turn_id, Usage(), "stop")


@asynccontextmanager
async def open_bus(server: ValkeyServer, keys: Keyring = KEYS) -> AsyncIterator[RedisBus]:
    """A bus on a connection of its own, as another instance would have it."""
    client = await RedisClient.open(server.url, keyring=keys, breaker=Breaker(open_seconds=0.2))
    bus = RedisBus(client)
    try:
        yield bus
    finally:
        await bus.close()
        await client.close()


async def heard(
    bus: RedisBus, after: Position = START, *, user_id: str = USER, turn_id: str = TURN
) -> list[Update]:
    """All that a listener hears until it ends, within 10 s."""
    found: list[Update] = []
    async with asyncio.timeout(10):
        async for updates in bus.listen(turn_id=turn_id, user_id=user_id, after=after):
            found.extend(updates)
    return found


def said(updates: list[Update]) -> str:
    """The text among the updates."""
    return "".join(update.content for update in updates if isinstance(update, ContentUpdate))
