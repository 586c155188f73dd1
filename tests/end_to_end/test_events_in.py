"""With no broker, a deployment is heard of in the conversation, then what the platform tells of the bot."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.test_deploy_a_bot import save
from tests.functions.bot_posts import cloud_event, context_of, post
from tests.servers.agent import agent_server
from tests.servers.platform import Platform, platform_server
from tests.servers.ports import free_port


def test_from_accepted_to_running_to_failed(tmp_path: Path) -> None:
    with platform_server(form="upload") as platform:
        settings = {
            "THE0_API_URL": platform.url,
            "THE0_API_KEY": "planted-secret-platform-key",
            "PORT": str(free_port()),
        }
        with agent_server(tmp_path, **settings) as agent, agent.client() as client:
            _tell(client, platform)


def _tell(client: httpx.Client, platform: Platform) -> None:
    save(client, "s")
    client.post("/artifacts/deploy/s", json={}).raise_for_status()
    (bot,) = platform.bots
    shown = _bot(client, bot["id"])
    assert (shown["status"], shown["name"]) == ("accepted, not started", bot["name"])
    assert "evidence" not in shown
    # By the bot alone: the deployment says which session it is.
    created = {"id": bot["id"], "config": {"type": f"realtime/{bot['name']}", "version": "1.0.0"}}
    assert post(client, cloud_event("the0.bot.created", created, event_id="1")) == {"status": "applied"}
    shown = _bot(client, bot["id"])
    assert (shown["status"], shown["evidence"]["type"]) == ("running", "the0.bot.created")
    failed = {"bot_id": bot["id"], "error": "KeyError: 'close'"}
    post(client, cloud_event("bot.execution.failed", failed, event_id="2"))
    shown = _bot(client, bot["id"])
    assert (shown["status"], shown["last_error"]["text"]) == ("failed", "KeyError: 'close'")
    # Our own event was heard once, under its id, and nothing is left to publish.
    assert client.post("/events/publish").json()["waiting"] == 0
    assert client.get("/events/dead-letters").json() == []


def _bot(client: httpx.Client, bot_id: str) -> dict[str, Any]:
    """The bot in the session's context, as soon as it is there."""
    deadline = time.monotonic() + 30
    while bot_id not in (bots := context_of(client, "s").get("bots", {})):
        assert time.monotonic() < deadline, "the bot is not in the session's context"
        time.sleep(0.1)
    found: dict[str, Any] = bots[bot_id]
    return found
