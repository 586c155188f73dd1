"""What the agent tells the platform, at a real NATS server and a Pub/Sub server, whatever happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import call, hang, reply
from tests.servers.nats import Kept, NatsServer
from tests.servers.pubsub import PubSubServer

SUGGEST = call("suggest_bot", {"suggestion": "A grid on ETH/USDT", "symbol": "ETH/USDT"})
SAVE = call("save_artifact", {"filename": "notes.md", "content": "# Notes"})


def model(gemini: GeminiServer) -> dict[str, str]:
    return {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}


def at_nats(nats: NatsServer, condition: Callable[[list[Kept]], bool], seconds: float = 30) -> list[Kept]:
    """What the agent's stream holds when the condition is met."""
    deadline = time.monotonic() + seconds
    while not condition(found := asyncio.run(nats.kept())):
        assert time.monotonic() < deadline, [each.body["type"] for each in found]
        time.sleep(0.05)
    return found


def types(found: list[Any]) -> list[str]:
    return [each.body["type"] for each in found]


def suggest(client: httpx.Client, text: str, session_id: str = "direct") -> httpx.Response:
    return client.post(
        "/tools/suggest_bot",
        json={"arguments": {"suggestion": text}, "session_id": session_id, "call_id": text},
    )


def test_a_turn_is_told_to_both_brokers(
    gemini: GeminiServer, nats: NatsServer, pubsub: PubSubServer, tmp_path: Path
) -> None:
    gemini.script(reply("Well:", SAVE), reply(SUGGEST), reply("Done."))
    settings = {**model(gemini), **pubsub.settings(), "NATS_URL": nats.url}
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        body = {"message": "An idea?", "session_id": "s", "user_id": "alice"}
        turn = client.post("/chat", json=body).json()
        found = at_nats(nats, lambda kept: len(kept) == 3)
        assert types(found) == ["ai.artifact.created", "ai.bot.suggestion", "ai.turn.completed"]
        saved, suggested, completed = (each.body["data"] for each in found)
        assert (saved["session_id"], saved["filename"], saved["version"]) == ("s", "notes.md", 1)
        assert suggested == {
            "session_id": "s",
            "suggestion": "A grid on ETH/USDT",
            "user_id": "alice",
            "symbol": "ETH/USDT",
        }
        assert (completed["turn_id"], completed["status"]) == (turn["turn_id"], "completed")
        deadline = time.monotonic() + 10
        while len(pubsub.messages()) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert [each.body for each in pubsub.messages()] == [each.body for each in found]
        assert {each.ordering_key for each in pubsub.messages()} == {"s"}
        assert [each.attributes["ce-id"] for each in pubsub.messages()] == [
            each.headers["Nats-Msg-Id"] for each in found
        ]
        assert client.get("/health").json()["checks"]["nats"] == "healthy"


def test_a_direct_call_is_told_and_its_repeat_is_not(nats: NatsServer, tmp_path: Path) -> None:
    with agent_server(tmp_path, NATS_URL=nats.url) as agent, agent.client() as client:
        for _ in range(2):
            assert suggest(client, "one").json()["status"] == "ok"
        assert suggest(client, "two").json()["status"] == "ok"
        found = at_nats(nats, lambda kept: len(kept) == 2)
        assert [each.body["data"]["suggestion"] for each in found] == ["one", "two"]
        assert found[0].body["data"]["user_id"] == "default-user"


def test_of_a_turn_that_was_rolled_back_nobody_hears(
    gemini: GeminiServer, nats: NatsServer, tmp_path: Path
) -> None:
    gemini.script(reply("First.", SUGGEST), hang("Half"), reply("Second."))
    with agent_server(tmp_path, **model(gemini), NATS_URL=nats.url) as agent, agent.client() as client:
        first = {"message": "One", "session_id": "s"}
        with client.stream("POST", "/chat/stream", json=first) as response:
            next(line for line in response.iter_lines() if "Half" in line)
            second = {"message": "Two", "session_id": "s", "if_busy": "rollback"}
            with agent.client() as other:
                turn = other.post("/chat", json=second).json()
        assert turn["response"] == "Second."
        found = at_nats(nats, lambda kept: len(kept) > 0)
        assert [(each.body["type"], each.body["data"]["turn_id"]) for each in found] == [
            ("ai.turn.completed", turn["turn_id"])
        ]


def test_what_was_stored_before_kill_9_goes_out_after_the_restart(nats: NatsServer, tmp_path: Path) -> None:
    nats.kill()
    with agent_server(tmp_path, NATS_URL=nats.url) as agent, agent.client() as client:
        assert suggest(client, "kept").json()["status"] == "ok"
        agent.process.kill()
        agent.process.wait()
    nats.start()
    with agent_server(tmp_path, NATS_URL=nats.url):
        found = at_nats(nats, lambda kept: len(kept) > 0)
        assert [each.body["data"]["suggestion"] for each in found] == ["kept"]


def test_a_broker_that_comes_back_gets_what_waits_without_a_hand(nats: NatsServer, tmp_path: Path) -> None:
    with agent_server(tmp_path, NATS_URL=nats.url) as agent, agent.client() as client:
        suggest(client, "0")
        at_nats(nats, lambda kept: len(kept) == 1)
        nats.kill()
        for number in range(1, 6):
            assert suggest(client, str(number)).json()["status"] == "ok"
        _until_lag(client, lambda lag: lag == 5)
        nats.start()
        found = at_nats(nats, lambda kept: len(kept) == 6)
        assert [each.body["data"]["suggestion"] for each in found] == [str(n) for n in range(6)]
        _until_lag(client, lambda lag: lag == 0)


def test_killed_again_and_again_nothing_that_was_answered_is_lost(nats: NatsServer, tmp_path: Path) -> None:
    """The agent and NATS are killed by turns, each while calls come in and events go out."""
    answered: list[str] = []
    for round_number in range(4):
        with agent_server(tmp_path, NATS_URL=nats.url) as agent, agent.client() as client:
            for number in range(12):
                text = f"{round_number:02}-{number:02}"
                if suggest(client, text).json()["status"] == "ok":
                    answered.append(text)
                if number == 6 and round_number % 2:
                    nats.kill()
                    nats.start()
            agent.process.kill()
            agent.process.wait()
    with agent_server(tmp_path, NATS_URL=nats.url):
        found = at_nats(nats, lambda kept: len(kept) >= len(answered))
    told = [each.body["data"]["suggestion"] for each in found]
    assert told == answered
    ids = [each.headers["Nats-Msg-Id"] for each in found]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("count", [3])
def test_many_processes_on_one_database_tell_each_event_once(
    count: int, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    settings = {"NATS_URL": nats.url, "DATABASE_URL": postgres_url}
    agents: list[Agent] = []
    with ExitStack() as stack:
        for number in range(count):
            (tmp_path / str(number)).mkdir()
            agents.append(stack.enter_context(agent_server(tmp_path / str(number), **settings)))
        for number in range(10):
            for agent in agents:
                with agent.client() as client:
                    suggest(client, f"{number:02}-{agent.url[-5:]}", "one")
        found = at_nats(nats, lambda kept: len(kept) >= 10 * count)
    told = [each.body["data"]["suggestion"] for each in found]
    assert len(told) == len(set(told)) == 10 * count
    assert [text[:2] for text in told] == sorted(text[:2] for text in told)


def _until_lag(client: httpx.Client, holds: Callable[[float], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        lines = client.get("/metrics").text.splitlines()
        lag = next(line.split()[1] for line in lines if line.startswith("outbox_waiting_events "))
        if holds(float(lag)):
            return
        assert time.monotonic() < deadline, lag
        time.sleep(0.05)
