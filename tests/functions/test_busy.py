"""Messages that meet a running turn, turns that are cancelled, interrupted and resumed, on the wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, call, reply
from tests.servers.sse import Stream, chat_stream, read_stream

SAVE = call("save_artifact", {"filename": "a.md", "content": "a"})


@pytest.fixture
def live(gemini: GeminiServer, tmp_path: Path) -> Iterator[Agent]:
    """An agent whose model is the test's Gemini server."""
    with agent_server(tmp_path, GEMINI_API_KEY=gemini.api_key or "", GEMINI_BASE_URL=gemini.url) as agent:
        yield agent


@pytest.fixture
def client(live: Agent) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


class Poster:
    """Posts in a thread; `answer` waits for it."""

    def __init__(self, client: httpx.Client, message: str, if_busy: str = "reject") -> None:
        self._answers: list[httpx.Response] = []
        body = {"message": message, "session_id": "s", "if_busy": if_busy}
        self._thread = threading.Thread(
            target=lambda: self._answers.append(client.post("/chat", json=body)), daemon=True
        )
        self._thread.start()

    @property
    def answer(self) -> httpx.Response:
        self._thread.join(30)
        return self._answers[0]


async def started(gemini: GeminiServer, requests: int) -> None:
    await gemini.until(lambda server: len(server.requests) >= requests)


def contents(client: httpx.Client) -> list[str]:
    """What was said in the session, in order."""
    return [each["content"] for each in client.get("/chat/sessions/s").json()["messages"]]


async def test_rejected_by_default_and_in_line_when_asked(gemini: GeminiServer, client: httpx.Client) -> None:
    gate = Gate()
    gemini.script(reply("One.", gate), reply("Two."))
    first = Poster(client, "First")
    await started(gemini, 1)
    refused = client.post("/chat", json={"message": "No", "session_id": "s"})
    assert (refused.status_code, refused.json()["code"]) == (409, "turn_in_progress")
    assert int(refused.headers["retry-after"]) >= 1
    running = refused.json()["turn_id"]
    assert client.get(f"/chat/turns/{running}").json()["status"] == "running"
    second = Poster(client, "Second", "wait")
    gate.open()
    assert first.answer.json()["response"] == "One."
    assert second.answer.json()["response"] == "Two."
    assert contents(client) == ["First", "One.", "Second", "Two."]


async def test_an_interrupt_keeps_what_was_said_and_a_rollback_nothing(
    gemini: GeminiServer, client: httpx.Client
) -> None:
    gate = Gate()
    gemini.script(reply("Half", gate, " never"), reply("Two."))
    first = Poster(client, "First")
    await started(gemini, 1)
    assert Poster(client, "Second", "interrupt").answer.json()["response"] == "Two."
    stopped = first.answer
    assert (stopped.status_code, stopped.json()["code"]) == (409, "session_conflict")
    gate.open()
    gemini.script(reply(SAVE), reply("Half", Gate()), reply("Four."))
    third = Poster(client, "Third")
    await started(gemini, 4)
    assert client.get("/artifacts/session/s").json() == ["a.md"]
    assert Poster(client, "Fourth", "rollback").answer.json()["response"] == "Four."
    removed = third.answer
    assert (removed.status_code, removed.json()["code"]) == (409, "turn_rolled_back")
    assert client.get(f"/chat/turns/{removed.json()['turn_id']}").status_code == 404
    assert client.get("/artifacts/session/s").json() == []
    assert contents(client) == [
        "First",
        "Half",
        "Second",
        "Two.",
        "Fourth",
        "Four.",
    ]


async def test_a_turn_of_a_stopped_server_goes_on_after_its_restart(
    gemini: GeminiServer, tmp_path: Path
) -> None:
    settings = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
    gate = Gate()
    gemini.script(reply("Saving.", SAVE), reply("Half", gate))
    seen: list[str] = []
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        with client.stream("POST", "/chat/stream", json={"message": "Work", "session_id": "s"}) as answer:
            for line in answer.iter_lines():
                seen.append(line)
                if "Half" in line:
                    break
    gate.open()
    gemini.script(reply("All done."))
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        refused = client.post("/chat/turns/unknown/resume")
        assert (refused.status_code, refused.json()["code"]) == (404, "turn_not_found")
        found = next(line for line in seen if '"turn_id"' in line)
        turn_id = found.split('"turn_id":"')[1].split('"')[0]
        assert client.get(f"/chat/turns/{turn_id}").json()["status"] == "interrupted"
        last = [line.removeprefix("id: ") for line in seen if line.startswith("id: ")][-1]
        rest: Stream = read_stream(
            client.post(f"/chat/turns/{turn_id}/resume", headers={"Last-Event-ID": last})
        )
        assert rest.done
        assert rest.text.strip() == "All done."
        assert rest.types[-1] == "complete"
        turn = client.get(f"/chat/turns/{turn_id}").json()
        assert turn["status"] == "completed"
        assert [each["status"] for each in turn["tool_calls"]] == ["ok"]
        assert len(client.get("/artifacts/versions/s/a.md").json()) == 1
        whole = read_stream(client.get(f"/chat/turns/{turn_id}/stream"))
        assert whole.text == "Saving.\n\nHalf\n\nAll done." == turn["response"]
        again = read_stream(client.post(f"/chat/turns/{turn_id}/resume"))
        assert again.text == whole.text


def test_if_busy_takes_four_words(client: httpx.Client) -> None:
    refused = client.post("/chat", json={"message": "Hi", "if_busy": "perhaps"})
    assert refused.status_code == 422
    assert "if_busy" in refused.json()["detail"]


def test_an_approval_must_be_yes_or_no(gemini: GeminiServer, client: httpx.Client) -> None:
    gemini.script(reply("Hi."))
    stream = chat_stream(client, "Hi")
    turn_id = stream.chunks[0]["turn_id"]
    path = f"/chat/turns/{turn_id}/approvals/c1"
    assert client.post(path, json={"approved": "yes"}).status_code == 422
    assert client.post(path, json={}).status_code == 422
    late = client.post(path, json={"approved": True})
    assert (late.status_code, late.json()["code"]) == (409, "approval_conflict")
