"""Upkeep on demand: where instances stand still between requests, a scheduler asks for it."""

from __future__ import annotations

import time
from pathlib import Path

from tests.servers.agent import agent_server, end_agent, start_agent
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import hang


def test_a_turn_that_died_with_its_process_is_ended_when_it_is_asked_for(
    gemini: GeminiServer, tmp_path: Path
) -> None:
    gemini.script(hang("Half"))
    settings = {
        "GEMINI_API_KEY": gemini.api_key or "",
        "GEMINI_BASE_URL": gemini.url,
        "TURN_LEASE_SECONDS": "2",
    }
    first = start_agent(tmp_path, **settings)
    try:
        with first.client() as client:
            body = {"message": "One", "session_id": "s"}
            with client.stream("POST", "/chat/stream", json=body) as response:
                next(line for line in response.iter_lines() if "Half" in line)
                first.process.kill()
    finally:
        end_agent(first)
    with agent_server(tmp_path, **settings) as second, second.client() as client:
        deadline = time.monotonic() + 30
        # Until its lease has run out it counts as running.
        while "turns had died with their process" not in second.logs():
            assert client.post("/events/upkeep", params={"seconds": 5}).json() == {"removed": 0}
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert client.post("/events/upkeep", params={"seconds": 0}).status_code == 400
