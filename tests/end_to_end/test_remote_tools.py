"""Tools in a process of their own: the main job over TOOLS_URL, and a turn whose tools service dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from tests.servers.agent import Agent, agent_server
from tests.servers.postgres import PostgresServer
from tests.servers.sse import Stream, chat_stream

SENTENCE = (
    "Build me an RSI momentum bot for BTC/USDT on hourly candles, buy under 30, sell over 70, risk 1% a trade"
)
SECRET = "planted-secret that is long enough for HS256"


@contextmanager
def two_agents(folder: Path, **variables: str) -> Iterator[tuple[Agent, Agent]]:
    """The agent that users talk to, and the one that runs its tools; one database, one folder of objects."""
    variables = {"DATA_DIR": str(folder / "data"), **variables}
    with ExitStack() as stack:
        for name in ("tools", "chat"):
            (folder / name).mkdir()
        tools = stack.enter_context(agent_server(folder / "tools", **variables))
        chat = stack.enter_context(agent_server(folder / "chat", TOOLS_URL=tools.url, **variables))
        yield chat, tools


def direct_calls(agent: Agent) -> float:
    """How many tool calls the agent's tool routes have run with success."""
    with agent.client() as client:
        metrics = client.get("/metrics").text
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in metrics.splitlines()
        if line.startswith("tools_executed_total{") and '"direct"' in line and '"ok"' in line
    )


def build_over_http(chat: Agent, tools: Agent, **headers: str) -> None:
    """The main job's sentence, its tools run by the other process."""
    with chat.client(**headers) as client:
        stream = chat_stream(client, SENTENCE, session_id="remote")
        assert stream.types[-1] == "complete", stream.chunks[-1]
        results = stream.of("tool_result")
        assert {result["name"] for result in results} >= {"create_bot_template", "analyze_code"}
        assert all(result["status"] == "ok" for result in results), results
        assert set(stream.of("artifacts")[-1]["artifacts"]) >= {"main.py", "strategy.py", "bot-schema.json"}
        schema = client.get("/artifacts/session/remote/bot-schema.json").json()["content"]
        assert json.loads(schema)["properties"]["buy_below"]["default"] == 30
    assert direct_calls(tools) == len(results)
    assert direct_calls(chat) == 0


def test_the_main_job_with_tools_in_another_process(tmp_path: Path) -> None:
    with two_agents(tmp_path) as (chat, tools):
        build_over_http(chat, tools)


def test_the_main_job_for_a_user_with_a_token_on_postgres(tmp_path: Path, postgres: PostgresServer) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    token = jwt.encode({"sub": "alice", "exp": soon}, SECRET, algorithm="HS256")
    variables = {
        "AUTH_MODE": "jwt",
        "JWT_SECRET": SECRET,
        "DATABASE_URL": postgres.create_database(),
    }
    with two_agents(tmp_path, **variables) as (chat, tools):
        build_over_http(chat, tools, authorization=f"Bearer {token}")
        with tools.client() as client:
            assert client.get("/tools").status_code == 401


def test_a_tools_service_that_dies_in_mid_turn_is_an_error_result(tmp_path: Path) -> None:
    with two_agents(tmp_path) as (chat, tools), chat.client() as client:
        body = {"message": SENTENCE, "session_id": "dies"}
        with client.stream("POST", "/chat/stream", json=body) as response:
            stream = Stream()
            for line in response.iter_lines():
                if not line.startswith("data: {"):
                    continue
                stream.chunks.append(json.loads(line[6:]))
                if stream.types[-1] == "tool_call" and tools.process.poll() is None:
                    tools.process.kill()
                    tools.process.wait()
        assert stream.types[-1] == "complete", stream.chunks[-1]
        answered = client.get(f"/chat/turns/{stream.chunks[0]['turn_id']}").json()
        assert answered["status"] == "completed"
        errors = [call["error"] for call in answered["tool_calls"] if call["status"] == "error"]
        assert errors
        assert all("tool service does not answer" in error for error in errors)
        # The next turn has the catalogue still, and ends as well.
        after = client.post("/chat", json={"message": "list my files", "session_id": "dies"}).json()
        assert after["response"]
