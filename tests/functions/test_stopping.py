"""How the agent ends, and what is there when it starts again."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from tests.servers.agent import agent_server, fresh_agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import hang, reply
from tests.servers.sse import chat_stream


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_cleanly(how: signal.Signals, tmp_path: Path) -> None:
    with fresh_agent_server(tmp_path) as agent:
        with agent.client() as client:
            client.post("/chat", json={"message": "Hello"}).raise_for_status()
        agent.process.send_signal(how)
        assert agent.process.wait(30) == 0
        assert "Traceback" not in agent.logs()


def test_a_turn_cut_short_by_the_end_is_kept_and_the_session_goes_on(
    gemini: GeminiServer, tmp_path: Path
) -> None:
    settings = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
    gemini.script(hang("So far so"))
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        body = {"message": "Go", "session_id": "s"}
        with client.stream("POST", "/chat/stream", json=body) as response:
            lines = response.iter_lines()
            next(line for line in lines if "So far so" in line)
            agent.process.send_signal(signal.SIGINT)
            rest = list(lines)
        assert agent.process.wait(30) == 0
        assert any('"interrupted"' in line for line in rest)
    gemini.script(reply("And on."))
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        messages = client.get("/chat/sessions/s/messages").json()
        assert [m["content"] for m in messages] == ["Go", "So far so"]
        assert chat_stream(client, "Go on", session_id="s").text == "And on."


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    with agent_server(tmp_path) as agent, agent.client() as client:
        answer = client.post("/chat", json={"message": "Hello", "session_id": "s"}).json()
        client.put("/artifacts/session/s/a.txt", content=b"kept").raise_for_status()
        agent.process.kill()
        agent.process.wait()
    with agent_server(tmp_path) as agent, agent.client() as client:
        turn = client.get(f"/chat/turns/{answer['turn_id']}").json()
        assert (turn["status"], turn["response"]) == ("completed", answer["response"])
        assert client.get("/artifacts/session/s/a.txt").json()["content"] == "kept"


def test_a_turn_that_died_with_its_process_reads_as_interrupted(gemini: GeminiServer, tmp_path: Path) -> None:
    settings = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
    gemini.script(hang("Half"))
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        with client.stream("POST", "/chat/stream", json={"message": "Go", "session_id": "s"}) as response:
            lines = response.iter_lines()
            next(line for line in lines if "Half" in line)
            agent.process.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
    with agent_server(tmp_path, **settings) as agent, agent.client() as client:
        # The dead owner's lease holds for its 30 seconds: until then the session says when to come again.
        busy = client.post("/chat", json={"message": "Again", "session_id": "s"})
        assert (busy.status_code, busy.json()["code"]) == (409, "turn_in_progress")
        assert 1 <= int(busy.headers["retry-after"]) <= 30
        assert client.get("/chat/sessions/s/messages").json()[0]["content"] == "Go"
