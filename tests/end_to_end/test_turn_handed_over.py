"""A client goes away from an instance that is throttled then: another one ends the turn, once."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, call, hang, reply
from tests.servers.google_identity import ACCOUNT, google_identity
from tests.servers.ports import free_port
from tests.servers.pubsub import RESUME_TOPIC, PubSubServer

SUGGEST = call("suggest_bot", {"suggestion": "A grid on ETH/USDT"})
CLOUD = {"K_SERVICE": "chat", "ALLOW_UNAUTHENTICATED": "true"}


def model(gemini: GeminiServer) -> dict[str, str]:
    return {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}


def leave_in_the_middle(agent: Agent, how: str) -> str:
    """A client that goes away while the second reply is made; the turn's id."""
    body = {"message": "Go", "session_id": "s"}
    with agent.client() as client:
        if how == "stream":
            with client.stream("POST", "/chat/stream", json=body) as response:
                for line in response.iter_lines():
                    if "Half" in line:
                        break
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post("/chat", json=body, timeout=2)
    return "s"


def ended(agent: Agent, seconds: float = 30) -> list[dict[str, Any]]:
    """The session's messages when its turn has an answer."""
    deadline = time.monotonic() + seconds
    with agent.client() as client:
        while time.monotonic() < deadline:
            messages = client.get("/chat/sessions/s/messages")
            if messages.status_code == 200 and "And the rest." in messages.text:
                found: list[dict[str, Any]] = messages.json()
                return found
            time.sleep(0.05)
    raise AssertionError(f"the turn did not end: {agent.logs()}")


@contextmanager
def two(tmp_path: Path, first: dict[str, str], second: dict[str, str]) -> Iterator[tuple[Agent, Agent]]:
    """The instance that the client talks to, and the one that events go to."""
    with ExitStack() as stack:
        agents = []
        for name, variables in (("here", first), ("there", second)):
            (tmp_path / name).mkdir()
            agents.append(stack.enter_context(agent_server(tmp_path / name, **variables)))
        yield agents[0], agents[1]


@pytest.mark.parametrize("how", ["stream", "post"])
async def test_by_pubsub_and_googles_identity(
    how: str, gemini: GeminiServer, pubsub: PubSubServer, postgres_url: str, tmp_path: Path
) -> None:
    gate = Gate()
    gemini.script(reply("Working.", SUGGEST), hang("Half"), reply("And", gate, " the rest."))
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with google_identity() as google:
        cloud = {**CLOUD, **model(gemini), **pubsub.settings(), "DATABASE_URL": postgres_url}
        services = {
            "SERVICE_AUDIENCE": url,
            "SERVICE_ACCOUNTS": ACCOUNT,
            "GOOGLE_CERTS_URL": google.certs_url,
        }

        def story() -> None:
            there_has = {**cloud, **services, "K_SERVICE": "events", "PORT": str(port)}
            with two(tmp_path, cloud, there_has) as (here, there):
                push = pubsub.push(RESUME_TOPIC, f"{url}/events", token=lambda: google.token(aud=url))
                leave_in_the_middle(here, how)
                deadline = time.monotonic() + 20
                while len(gemini.requests) < 3:
                    assert time.monotonic() < deadline, here.logs() + there.logs()
                    time.sleep(0.02)
                # Delivered a second time while the first is at work: it waits with the first.
                (resume,) = pubsub.messages(RESUME_TOPIC)
                pubsub.redeliver(resume)
                gate.open()
                messages = ended(there)
                while len(push.answers) < 2:
                    assert time.monotonic() < deadline, push.answers
                    time.sleep(0.02)
                assert [status for _, status in push.answers] == [200, 200]
                assert [message["role"] for message in messages] == ["user", "assistant"]
                # Published before the first push was answered: the instance may stand still after that.
                told = [message.body for message in pubsub.messages()]
                suggested = [each for each in told if each["type"] == "ai.bot.suggestion"]
                assert [each["data"]["suggestion"] for each in suggested] == ["A grid on ETH/USDT"]
                ends = [each["data"]["status"] for each in told if each["type"] == "ai.turn.completed"]
                assert ends == ["interrupted", "completed"]
                refused = httpx.post(f"{url}/events", json=resume.body, trust_env=False)
                assert refused.status_code == 401

        await asyncio.to_thread(story)
    assert len(gemini.requests) == 3


def test_straight_to_the_events_function_without_a_broker(
    gemini: GeminiServer, postgres_url: str, tmp_path: Path
) -> None:
    gemini.script(reply("Working.", SUGGEST), hang("Half"), reply("And the rest."))
    port = free_port()
    both = {**model(gemini), "DATABASE_URL": postgres_url, "SERVICE_AUTH": "secret"}
    here_has = {**both, **CLOUD, "EVENTS_URL": f"http://127.0.0.1:{port}/events"}
    with two(tmp_path, here_has, {**both, "PORT": str(port)}) as (here, there):
        leave_in_the_middle(here, "stream")
        messages = ended(there)
        assert [message["role"] for message in messages] == ["user", "assistant"]
        with here.client() as client:
            deadline = time.monotonic() + 15
            while "outbox_waiting_events 0.0" not in client.get("/metrics").text:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert len(gemini.requests) == 3


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_an_events_function_that_ends_meanwhile_is_asked_again(
    end: signal.Signals, gemini: GeminiServer, pubsub: PubSubServer, postgres_url: str, tmp_path: Path
) -> None:
    gemini.script(reply("Working.", SUGGEST), hang("Half"), hang("Half again"), reply("And the rest."))
    port = free_port()
    both = {**model(gemini), **pubsub.settings(), "DATABASE_URL": postgres_url, "SERVICE_AUTH": "secret"}
    # After a kill the turn is free when its lease has run out.
    both["TURN_LEASE_SECONDS"] = "5"
    push = pubsub.push(RESUME_TOPIC, f"http://127.0.0.1:{port}/events")
    (tmp_path / "third").mkdir()
    with two(tmp_path, {**both, **CLOUD}, {**both, "PORT": str(port)}) as (here, there):
        leave_in_the_middle(here, "stream")
        deadline = time.monotonic() + 20
        while len(gemini.requests) < 3:
            assert time.monotonic() < deadline, here.logs() + there.logs()
            time.sleep(0.02)
        there.process.send_signal(end)
        there.process.wait(10)
        with agent_server(tmp_path / "third", **both, PORT=str(port)) as third:
            messages = ended(third)
            assert [message["role"] for message in messages] == ["user", "assistant"]
            assert push.answers[0][1] != 200
    told = [message.body["type"] for message in pubsub.messages()]
    assert told.count("ai.bot.suggestion") == 1
