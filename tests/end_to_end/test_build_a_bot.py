"""The main job, as a newcomer does it: one sentence, a zip, a bot that runs; then a change."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end.bot_environment import bot_python, run_bot, run_bot_tests
from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer, Request, gemini_server
from tests.servers.gemini_answers import Answer, call, reply
from tests.servers.sse import Stream, chat_stream

# The first run on a machine installs a bot's requirements, as a user would.
pytestmark = pytest.mark.timeout(900)

SENTENCE = (
    "Build me an RSI momentum bot for BTC/USDT on hourly candles, buy under 30, sell over 70, risk 1% a trade"
)
CHANGE = "make it buy under 25 and add a 2% stop loss"
FILES = {
    "main.py",
    "strategy.py",
    "data.py",
    "bot-config.yaml",
    "bot-schema.json",
    "requirements.txt",
    "README.md",
    "tests/test_strategy.py",
    "sample.csv",
}
PARAMETERS: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "timeframe": "1h",
    "buy_below": 30,
    "sell_above": 70,
    "risk_per_trade_pct": 1,
}


def _gemini_script(gemini: GeminiServer) -> None:
    """What a language model does with the two sentences."""

    def build(parameters: dict[str, Any]) -> Answer:
        arguments = {"strategy_type": "rsi_momentum", "parameters": parameters}
        return reply("I'll build it.", call("create_bot_template", arguments), call("list_documentation"))

    def report(request: Request) -> Answer:
        score = request.tool_results[0]["response"]
        return reply("The files are written; the check says ", str(score)[:40])

    gemini.on(
        SENTENCE, build(PARAMETERS), reply("Now the check.", call("analyze_code", signature=b"s")), report
    )
    gemini.on(CHANGE, build({**PARAMETERS, "buy_below": 25, "stop_loss_pct": 2}), reply("Changed."))


@pytest.fixture(scope="module", params=["offline", "gemini"])
def agent_with_model(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Agent]:
    folder = tmp_path_factory.mktemp(f"agent-{request.param}")
    if request.param == "offline":
        with agent_server(folder) as agent:
            yield agent
        return
    with gemini_server() as gemini:
        _gemini_script(gemini)
        with agent_server(folder, GEMINI_API_KEY=gemini.api_key or "", GEMINI_BASE_URL=gemini.url) as agent:
            yield agent
        gemini.verify()


@pytest.fixture(scope="module")
def client(agent_with_model: Agent) -> Iterator[httpx.Client]:
    with agent_with_model.client() as client:
        yield client


@pytest.fixture(scope="module")
def built(client: httpx.Client) -> Stream:
    """The stream of the first sentence."""
    return chat_stream(client, SENTENCE, session_id="main-job")


@pytest.fixture(scope="module")
def changed(client: httpx.Client, built: Stream) -> Stream:
    """The stream of the second sentence, in the same session."""
    return chat_stream(client, CHANGE, session_id="main-job")


def download(client: httpx.Client, folder: Path, version: int | None = None) -> Path:
    """The session's zip, unpacked."""
    params: dict[str, Any] = {"session_id": "main-job", **({"version": version} if version else {})}
    answer = client.get("/artifacts/download", params=params)
    answer.raise_for_status()
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(folder)
    return folder


@pytest.fixture
def bots(request: pytest.FixtureRequest) -> Path:
    """Where environments with bots' requirements are kept between runs."""
    return request.config.cache.mkdir("bots")


def _prove(folder: Path, config: dict[str, Any], bots: Path) -> None:
    """The bot runs to success and its tests pass, with its own requirements and nothing else."""
    python = bot_python(bots, (folder / "requirements.txt").read_text())
    run = run_bot(folder, config, python=python)
    assert run.exit_code == 0, run.errors
    assert run.result is not None
    assert run.result["status"] == "success"
    code, output = run_bot_tests(folder, python=python)
    assert code == 0, output


def test_the_stream_tells_the_work_and_ends_with_the_files(client: httpx.Client, built: Stream) -> None:
    assert built.types[0] == "session"
    assert built.types[-1] == "complete"
    assert built.done
    assert {c["name"] for c in built.of("tool_call")} >= {"create_bot_template", "analyze_code"}
    assert all(result["status"] == "ok" for result in built.of("tool_result")), built.of("tool_result")
    assert set(built.of("artifacts")[-1]["artifacts"]) >= FILES
    assert set(client.get("/artifacts/session/main-job").json()) >= FILES
    assert built.text
    made = next(c for c in built.of("tool_call") if c["name"] == "create_bot_template")
    given = made["arguments"]["parameters"]
    assert {name: given.get(name) for name in PARAMETERS} == PARAMETERS


def test_the_bot_runs_and_its_tests_pass_in_a_fresh_environment(
    client: httpx.Client, built: Stream, tmp_path: Path, bots: Path
) -> None:
    folder = download(client, tmp_path / "bot", version=1)
    _prove(folder, {"symbol": "BTC/USDT", "data_source": "sample.csv"}, bots)


def test_a_follow_up_changes_the_right_files_as_version_2(
    client: httpx.Client, changed: Stream, tmp_path: Path, bots: Path
) -> None:
    assert all(result["status"] == "ok" for result in changed.of("tool_result"))
    listed = {
        item["filename"]: item["version"]
        for item in client.get("/artifacts/session/main-job", params={"details": "true"}).json()
    }
    assert listed["bot-schema.json"] == 2
    # What does not depend on the numbers has not moved.
    assert {listed[name] for name in ("sample.csv", "requirements.txt", "data.py")} == {1}
    schema = client.get("/artifacts/session/main-job/bot-schema.json").json()["content"]
    properties = json.loads(schema)["properties"]
    assert properties["buy_below"]["default"] == 25
    assert properties["stop_loss_pct"]["default"] == 2
    assert properties["sell_above"]["default"] == 70
    diff = client.get("/artifacts/diff/main-job/bot-schema.json", params={"from": 1, "to": 2}).json()["diff"]
    assert '-      "default": 30' in diff
    folder = download(client, tmp_path / "bot")
    _prove(folder, {"symbol": "BTC/USDT", "data_source": "sample.csv"}, bots)


def test_the_frontends_client_works_unchanged(client: httpx.Client, changed: Stream) -> None:
    """The calls the platform's browser client makes, with nothing else assumed."""
    sessions = client.get("/chat/sessions", params={"user_id": "default-user"}).json()
    assert sessions[0]["id"] == "main-job"
    client.put("/chat/sessions/main-job/title", json={"title": "My RSI bot"}).raise_for_status()
    names = client.get("/artifacts/session/main-job").json()
    assert all(isinstance(name, str) for name in names)
    messages = client.get("/chat/sessions/main-job").json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]
    assert set(messages[1]["artifacts_created"]) >= FILES
