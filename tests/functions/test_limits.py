"""Turns a minute and open streams over HTTP."""

from __future__ import annotations

from pathlib import Path

from tests.servers.agent import agent_server
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import Gate, reply


def test_turns_a_minute_are_limited_and_repeats_are_not(tmp_path: Path) -> None:
    with agent_server(tmp_path, TURNS_PER_MINUTE="2") as agent, agent.client() as client:
        body = {"message": "Hi", "user_id": "alice"}
        key = {"idempotency-key": "k-1"}
        first = client.post("/chat", json=body, headers=key)
        assert first.status_code == 200
        # A minute may end in between: of seven, three at least are in one minute.
        seen = [client.post("/chat", json=body) for _ in range(7)]
        refused = [answer for answer in seen if answer.status_code != 200]
        assert refused
        assert {answer.status_code for answer in refused} == {429}
        assert {answer.json()["code"] for answer in refused} == {"rate_limited"}
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
        for _ in range(5):
            again = client.post("/chat", json=body, headers=key)
            assert again.status_code == 200
            assert again.json()["turn_id"] == first.json()["turn_id"]


def test_open_streams_are_limited_until_they_end(gemini: GeminiServer, tmp_path: Path) -> None:
    gate = Gate()
    gemini.script(reply("one", gate, "two"), reply("three"))
    variables = {"GEMINI_API_KEY": API_KEY, "GEMINI_BASE_URL": gemini.url, "MAX_OPEN_STREAMS": "1"}
    with agent_server(tmp_path, **variables) as agent, agent.client() as client:
        with client.stream("POST", "/chat/stream", json={"message": "Hi"}) as running:
            lines = running.iter_lines()
            assert any('"one"' in line for line in lines)
            refused = client.post("/chat/stream", json={"message": "Hi"})
            assert refused.status_code == 429
            assert refused.json()["code"] == "rate_limited"
            assert int(refused.headers["retry-after"]) >= 1
            assert len(gemini.requests) == 1
            gate.open()
            assert "data: [DONE]" in list(lines)
        after = client.post("/chat/stream", json={"message": "Hi"})
        assert after.status_code == 200
        assert '"three"' in after.text
