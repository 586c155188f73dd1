"""`bot_history` by every door: HTTP, MCP, and a turn whose tools run in another process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.end_to_end.test_remote_tools import direct_calls, two_agents
from tests.functions.bot_posts import cloud_event, post
from tests.functions.test_mcp import connect
from tests.servers.agent import Agent

T = "2026-11-02T08:00:00Z"
FAILED = {"session_id": "s", "bot_id": "b-1", "error": "KeyError: 'x'", "logs": ["one", "two"]}


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


def tell(client: httpx.Client) -> None:
    """A session, and a run that failed in it."""
    client.post("/chat/sessions", json={"session_id": "s"})
    post(client, cloud_event("bot.execution.failed", FAILED, event_id="run-1", time=T))


def called(client: httpx.Client, bot_id: str, **more: Any) -> dict[str, Any]:
    body = {"arguments": {"bot_id": bot_id}, "session_id": "s", **more}
    found: dict[str, Any] = client.post("/tools/bot_history", json=body).json()
    return found


def test_over_http_and_for_nobody_else(client: httpx.Client) -> None:
    tell(client)
    answer = called(client, "b-1")
    assert answer["untrusted"] is True
    (entry,) = answer["result"]["entries"]
    failed = {"type": "bot.execution.failed", "error": "KeyError: 'x'", "lines": ["one", "two"]}
    assert entry.pop("time").startswith("2026-11-02T08:00:00")
    assert entry == failed
    theirs, nobodys = called(client, "b-1", user_id="mallory"), called(client, "b-9")
    assert theirs["status"] == nobodys["status"] == "error"
    assert theirs["error"] == nobodys["error"]


async def test_over_mcp(agent: Agent, client: httpx.Client) -> None:
    tell(client)
    async with connect(agent, "auto") as assistant:
        result = await assistant.call_tool("bot_history", {"bot_id": "b-1", "session_id": "s"})
    assert not result.is_error
    assert "KeyError: 'x'" in json.dumps(result.structured_content)


def test_by_a_turn_whose_tools_run_elsewhere(tmp_path: Any) -> None:
    with two_agents(tmp_path) as (chat, tools), chat.client() as client:
        tell(client)
        ask = {"message": "How did the last run of my bot go?", "session_id": "s"}
        told = client.post("/chat", json=ask).json()["response"]
        assert "KeyError: 'x'" in told
        assert "> two" in told
        assert direct_calls(tools) == 1
