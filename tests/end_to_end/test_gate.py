"""A language model whose bot is rejected: it is told why, repairs it, and only then is the bot let out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.agent import agent_server
from tests.servers.gemini import GeminiServer, Request
from tests.servers.gemini_answers import Answer, call, reply
from tests.servers.platform import platform_server
from tests.servers.sse import Stream, chat_stream, read_stream

pytestmark = pytest.mark.timeout(300)

GOOD = "needed = candles_needed(parameters)"
BAD = f"needed = candles_needed(parameters) // (len(candles) - len(candles))\n    {GOOD}"


def edit(search: str, replace: str) -> dict[str, Any]:
    return call(
        "edit_artifact", {"filename": "strategy.py", "edits": [{"search": search, "replace": replace}]}
    )


def verdicts(stream: Stream) -> list[str]:
    found = [each for each in stream.of("tool_result") if each["name"] == "verify_bot"]
    return [each["result"]["verdict"] for each in found]


def test_a_rejected_bot_is_repaired_by_the_model_and_then_deployed(
    gemini: GeminiServer, tmp_path: Path
) -> None:
    told: list[dict[str, Any]] = []

    def repair(request: Request) -> Answer:
        told.append(request.tool_results[0]["response"])
        return reply("I repair it.", edit(BAD, GOOD))

    gemini.script(
        reply("I build it.", call("create_bot_template", {"strategy_type": "rsi_momentum"})),
        reply("I change it.", edit(GOOD, BAD)),
        reply(call("verify_bot", {})),
        repair,
        reply(call("verify_bot", {})),
        reply("It is ready."),
        reply(call("deploy_bot", {})),
        reply("It is deployed."),
    )
    with platform_server() as platform:
        settings = {"THE0_API_URL": platform.url, "THE0_API_KEY": "planted-secret-platform-key"}
        model = {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url}
        with agent_server(tmp_path, **settings, **model) as agent, agent.client() as client:
            built = chat_stream(client, "Build me a bot", session_id="s")
            assert built.types[-1] == "complete", built.chunks
            first, second = verdicts(built)
            assert (first, second.startswith("verified")) == ("rejected", True)
            assert "ZeroDivisionError" in str(told)
            assert "repairs are left" in str(told)
            asked = chat_stream(client, "Deploy it", session_id="s")
            (question,) = asked.of("approval_required")
            answer = client.post(
                f"/chat/turns/{asked.chunks[0]['turn_id']}/approvals/{question['id']}",
                json={"approved": True},
            )
            assert read_stream(answer).text == "It is deployed."
            assert len(platform.bots) == 1
            record = client.get("/artifacts/session/s/verification.json").json()
            assert second in record["content"]
            # One changed byte, and no record speaks for the bot any more.
            client.put("/artifacts/session/s/notes.md", content=b"# Notes").raise_for_status()
            own = client.post("/artifacts/deploy/s", json={"name": "another-name"})
            assert (own.status_code, own.json()["verification"]) == (201, "unverified")
