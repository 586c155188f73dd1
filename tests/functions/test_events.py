"""The events function on the wire: who may post, in what form, and what is answered."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import orjson
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import hang, reply
from tests.servers.nats import nats_server
from tests.servers.postgres import postgres_server

RESUME = {
    "ce-specversion": "1.0",
    "ce-id": "1",
    "ce-source": "urn:the0:agent",
    "ce-type": "turn.resume",
}
UNKNOWN_TURN = {"user_id": "default-user", "session_id": "s", "turn_id": "none"}


def test_an_event_for_a_turn_that_is_gone_is_taken(agent: Agent) -> None:
    with agent.client() as client:
        answer = client.post("/events", json=UNKNOWN_TURN, headers=RESUME)
        assert (answer.status_code, answer.json()) == (200, {"status": "gone"})


def test_a_turn_that_has_ended_is_left_as_it_is(agent: Agent) -> None:
    with agent.client() as client:
        turn = client.post("/chat", json={"message": "Hello", "session_id": "ended"}).json()
        data = {"user_id": "default-user", "session_id": "ended", "turn_id": turn["turn_id"]}
        message = {"data": base64.b64encode(orjson.dumps(data)).decode(), "attributes": RESUME}
        answer = client.post("/events", json={"message": message, "subscription": "x"})
        assert (answer.status_code, answer.json()) == (200, {"status": "completed"})
        assert client.get(f"/chat/turns/{turn['turn_id']}").json()["response"] == turn["response"]


def test_a_turn_that_its_session_has_left_behind_is_gone(gemini: GeminiServer, tmp_path: Path) -> None:
    gemini.script(hang("Half"), reply("Second."))
    settings = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
    with agent_server(tmp_path, **settings) as agent, agent.client() as client, agent.client() as other:
        body = {"message": "One", "session_id": "s"}
        with client.stream("POST", "/chat/stream", json=body) as response:
            first = ""
            for line in response.iter_lines():
                if '"turn_id"' in line:
                    first = orjson.loads(line.removeprefix("data: "))["turn_id"]
                if "Half" in line:
                    break
            second = {"message": "Two", "session_id": "s", "if_busy": "interrupt"}
            assert other.post("/chat", json=second).json()["response"] == "Second."
        data = {"user_id": "default-user", "session_id": "s", "turn_id": first}
        answer = other.post("/events", json=data, headers=RESUME)
        assert (answer.status_code, answer.json()) == (200, {"status": "gone"})
        assert other.get(f"/chat/turns/{first}").json()["status"] == "interrupted"


def test_a_database_that_is_down_makes_the_event_come_again(tmp_path: Path) -> None:
    with postgres_server() as postgres:
        url = postgres.create_database()
        with agent_server(tmp_path, DATABASE_URL=url) as agent, agent.client() as client:
            assert client.post("/events", json=UNKNOWN_TURN, headers=RESUME).status_code == 200
            postgres.stop()
            for path in ("/events", "/events/publish"):
                answer = client.post(path, json=UNKNOWN_TURN, headers=RESUME)
                assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
                assert int(answer.headers["retry-after"]) >= 1
            postgres.start()
            assert client.post("/events", json=UNKNOWN_TURN, headers=RESUME).json() == {"status": "gone"}


def test_an_unknown_type_is_taken_kept_and_logged(agent: Agent) -> None:
    with agent.client() as client:
        headers = {**RESUME, "ce-type": "the0.bot.renamed", "ce-id": "known-by-this"}
        answer = client.post("/events", json={"a": 1}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"status": "unknown_type"})
        [letter] = [
            each for each in client.get("/events/dead-letters").json() if each["event_id"] == "known-by-this"
        ]
        assert (letter["reason"], letter["type"]) == ("unknown_type", "the0.bot.renamed")
        assert letter["payload"]["data"] == {"a": 1}
    agent.logs_with("known-by-this")


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({}, b""),
        ({"content-type": "application/json"}, b'{"hello": 1}'),
        ({"content-type": "application/cloudevents+json"}, b"[]"),
        (RESUME, b"not json"),
        (RESUME, b'{"turn_id": 5}'),
        (RESUME, b"[]"),
    ],
)
def test_what_cannot_be_read_is_not_sent_again(agent: Agent, headers: dict[str, str], content: bytes) -> None:
    with agent.client() as client:
        answer = client.post("/events", content=content, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (200, "malformed")
        assert answer.json()["reason"]


def test_only_services_post(agent: Agent) -> None:
    with agent.client() as client:
        for path in ("/events", "/events/publish"):
            # As through a proxy of this machine, and as from a page in a browser.
            for name in ("x-forwarded-for", "origin"):
                answer = client.post(path, json={}, headers={name: "http://example.com"})
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_what_waits_is_published_on_demand_and_a_broker_that_is_down_is_told(tmp_path: Path) -> None:
    with nats_server() as nats:
        url = nats.url
        with agent_server(tmp_path, NATS_URL=url) as agent, agent.client() as client:
            _save(client, b"one")
            drained = client.post("/events/publish")
            assert drained.status_code == 200
            assert drained.json()["waiting"] == 0
            nats.kill()
            _save(client, b"two")
            failed = client.post("/events/publish", params={"seconds": 1})
            assert (failed.status_code, failed.json()["code"]) == (503, "publish_failed")
            assert (failed.json()["published"], failed.json()["waiting"]) == (0, 1)
            assert _metric(client, "outbox_waiting_events") == 1
            health = client.get("/health").json()
            assert (health["status"], health["checks"]["nats"]) == ("degraded", "degraded")
            assert client.post("/events/publish", params={"seconds": 0}).status_code == 400


def test_without_a_broker_nothing_is_left_waiting(agent: Agent) -> None:
    with agent.client() as client:
        _save(client, b"one")
        assert client.post("/events/publish").json()["waiting"] == 0
        assert client.get("/health").json()["checks"]["nats"] == "not_configured"
        assert _metric(client, "outbox_waiting_events") == 0


def _save(client: httpx.Client, content: bytes) -> None:
    client.post("/chat/sessions", json={"session_id": "files"})
    client.put("/artifacts/session/files/a.txt", content=content).raise_for_status()


def _metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))
