"""From "deploy it" to a bot on the platform: the user's yes and no, over HTTP, on the offline planner."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from shared.artifact_set import is_evidence
from tests.end_to_end.test_remote_tools import direct_calls, two_agents
from tests.servers.agent import Agent, agent_server
from tests.servers.platform import Platform, Reply, platform_server
from tests.servers.sse import Stream, chat_stream, read_stream
from tests.shared.deployment.bots import tiny_bot

KNOWN = {"unverified": True}
SENTENCE = "Build me a DCA bot for ETH/USDT named weekly-eth, 50 dollars every week"


@contextmanager
def deploying(folder: Path, form: Literal["code", "upload"] = "upload") -> Iterator[tuple[Agent, Platform]]:
    """An agent whose bots go to a platform of that form."""
    with platform_server(form=form) as platform:
        settings = {"THE0_API_URL": platform.url, "THE0_API_KEY": "planted-secret-platform-key"}
        with agent_server(folder, **settings) as agent:
            yield agent, platform


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Agent, Platform]]:
    """An agent with a platform of the upload form, one a module."""
    with deploying(tmp_path_factory.mktemp("deploying")) as both:
        yield both


def save(client: httpx.Client, session: str, files: dict[str, bytes] | None = None) -> None:
    """Puts a bot's files into a session, under a name of the session's own."""
    client.post("/chat/sessions", json={"session_id": session})
    for name, data in (files or tiny_bot()).items():
        own = data.replace(b"tiny-bot", f"bot-{session}".encode())
        client.put(f"/artifacts/session/{session}/{name}", content=own).raise_for_status()


def ask(client: httpx.Client, session: str, words: str = "deploy it unverified") -> tuple[str, str]:
    """Asks for the deployment; the turn and the call that wait for a yes."""
    stream = chat_stream(client, words, session_id=session)
    assert stream.types[-1] == "approval_required", stream.chunks
    (question,) = stream.of("approval_required")
    assert question["name"] == "deploy_bot"
    return stream.chunks[0]["turn_id"], question["id"]


def say(client: httpx.Client, turn: str, call: str, approved: bool) -> httpx.Response:
    """The user's answer, its stream read to the end."""
    return client.post(
        f"/chat/turns/{turn}/approvals/{call}", json={"approved": approved, **(KNOWN if approved else {})}
    )


def stream_of(response: httpx.Response) -> Stream:
    """The stream that an answer goes on with."""
    assert response.status_code == 200, response.text
    return read_stream(response)


def deployed(platform: Platform, session: str) -> list[dict[str, Any]]:
    """The session's bots on the platform."""
    return [bot for bot in platform.bots if bot["name"] == f"bot-{session}"]


@pytest.mark.parametrize("form", ["upload", "code"])
def test_a_bot_from_one_sentence_is_deployed_after_a_yes(
    form: Literal["code", "upload"], tmp_path: Path
) -> None:
    with deploying(tmp_path, form) as (agent, platform), agent.client() as client:
        built = chat_stream(client, SENTENCE, session_id="s")
        assert built.types[-1] == "complete"
        turn, call = ask(client, "s", "deploy it")
        assert platform.asked == []
        stream = stream_of(say(client, turn, call, True))
        assert stream.types[-1] == "complete", stream.chunks
        (bot,) = platform.bots
        assert bot["name"] == "weekly-eth"
        assert bot["id"] in stream.text
        (result,) = stream.of("tool_result")
        assert result["result"]["bot_id"] == bot["id"]
        assert result["result"]["status"] == "accepted, not started"
        if form == "upload":
            files = platform.files(bot)
            listed = client.get("/artifacts/session/s").json()
            # What was found out about the bot stays here.
            assert set(files) == {name for name in listed if not is_evidence(name)}
        # The turn's own account of it is the same.
        told = client.get(f"/chat/turns/{turn}").json()
        assert told["status"] == "completed"
        assert told["tool_calls"][-1]["name"] == "deploy_bot"
        assert say(client, turn, call, True).status_code == 409
        assert len(platform.bots) == 1


def test_a_no_is_a_no(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "no")
        turn, call = ask(client, "no")
        asked = len(platform.asked)
        stream = stream_of(say(client, turn, call, False))
        assert stream.types[-1] == "complete"
        assert stream.of("tool_result")[0]["status"] == "error"
        late = say(client, turn, call, True)
        assert (late.status_code, late.json()["code"]) == (409, "approval_conflict")
        assert deployed(platform, "no") == []
        assert len(platform.asked) == asked


def test_a_byte_that_changed_since_the_question_is_refused(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "byte")
        turn, call = ask(client, "byte")
        client.put("/artifacts/session/byte/main.py", content=b'print("hellp")\n').raise_for_status()
        refused = say(client, turn, call, True)
        assert (refused.status_code, refused.json()["code"]) == (409, "approval_conflict")
        assert deployed(platform, "byte") == []
        # The byte put back, the yes holds.
        save(client, "byte")
        assert stream_of(say(client, turn, call, True)).types[-1] == "complete"
        assert len(deployed(platform, "byte")) == 1


def test_what_the_platform_says_no_to_is_told_to_the_user(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "told")
        turn, call = ask(client, "told")
        platform.fail("register", 400, message="the market is closed to bots")
        stream = stream_of(say(client, turn, call, True))
        (result,) = stream.of("tool_result")
        assert result["status"] == "error"
        assert "the market is closed to bots" in json.dumps(stream.chunks)
        assert stream.types[-1] == "complete"


def test_files_that_are_no_bot_are_told_with_file_and_field(placed: tuple[Agent, Platform]) -> None:
    agent, _ = placed
    with agent.client() as client:
        save(client, "none", {"main.py": b"1", "bot-config.yaml": b"name: x"})
        turn, call = ask(client, "none")
        stream = stream_of(say(client, turn, call, True))
        assert "bot-config.yaml: runtime: is missing" in json.dumps(stream.chunks)


def test_the_user_deploys_by_himself(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "own")
        first = client.post("/artifacts/deploy/own", headers={"Idempotency-Key": "k"})
        assert first.status_code == 201
        (bot,) = deployed(platform, "own")
        assert first.json() == {
            "success": True,
            "bot_id": bot["id"],
            "deployment_url": f"{platform.url}/custom-bots/bot-own/1.2.3",
            "verification": "unverified",
        }
        again = client.post("/artifacts/deploy/own", headers={"Idempotency-Key": "k"})
        assert (again.status_code, again.json()) == (201, first.json())
        other = client.post("/artifacts/deploy/own", json={"name": "x-bot"}, headers={"Idempotency-Key": "k"})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        raised = client.post("/artifacts/deploy/own")
        assert raised.json()["deployment_url"].endswith("/bot-own/1.2.4")
        assert len(deployed(platform, "own")) == 2


def test_the_users_own_credential_goes_to_the_platform(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    platform.users["ApiKey her-own"] = "alice"
    with agent.client() as client:
        save(client, "hers")
        headers = {"Authorization": "ApiKey her-own"}
        assert client.post("/artifacts/deploy/hers", headers=headers).status_code == 201
        assert deployed(platform, "hers")[0]["userId"] == "alice"
        save(client, "his")
        refused = client.post("/artifacts/deploy/his", headers={"x-api-key": "unknown"})
        assert (refused.status_code, refused.json()["code"]) == (422, "deployment_refused")
        assert refused.json()["platform_status"] == 401
    assert "her-own" not in agent.logs()


@pytest.mark.parametrize(
    ("session", "body", "status", "code"),
    [
        ("never-was", {}, 404, "session_not_found"),
        ("gone", {}, 404, "session_not_found"),
        ("here", {"name": "Not A Name"}, 422, "bot_invalid"),
        ("here", {"name": 1}, 422, "invalid_request"),
        ("here", [], 422, "invalid_request"),
    ],
)
def test_what_cannot_be_deployed(
    placed: tuple[Agent, Platform], session: str, body: Any, status: int, code: str
) -> None:
    agent, platform = placed
    with agent.client() as client:
        if session != "never-was":
            client.post("/chat/sessions", json={"session_id": session})
        if session == "gone":
            client.delete("/chat/sessions/gone")
        if session == "here":
            save(client, "here")
        asked = len(platform.asked)
        answer = client.post(f"/artifacts/deploy/{session}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert len(platform.asked) == asked


def test_a_platform_that_fails_is_a_502_with_its_words(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "down")
        for _ in range(3):
            platform.fail("versions", 503, message="maintenance until noon")
        failed = client.post("/artifacts/deploy/down", headers={"Idempotency-Key": "k"})
        assert (failed.status_code, failed.json()["code"]) == (502, "platform_unavailable")
        assert "maintenance until noon" in failed.json()["detail"]
        assert client.post("/artifacts/deploy/down", headers={"Idempotency-Key": "k"}).status_code == 201


@pytest.mark.timeout(180)
def test_a_platform_that_hangs_is_answered_for_and_found_by_a_repeat(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "slow")
        held = platform.fail("upload", holds=True, takes=True)
        held.reply = Reply(200, {"success": True, "filePath": "agent/bot-slow/1.2.3"})
        began = time.monotonic()
        waiting = client.post("/artifacts/deploy/slow")
        assert time.monotonic() - began < 30
        assert (waiting.status_code, waiting.json()["code"]) == (409, "deployment_in_progress")
        assert waiting.headers["retry-after"] == "5"
        held.release.set()
        headers = {"Idempotency-Key": waiting.json()["idempotency_key"]}
        found = client.post("/artifacts/deploy/slow", headers=headers)
        assert (found.status_code, found.json()["bot_id"]) == (201, deployed(platform, "slow")[0]["id"])
        assert len(deployed(platform, "slow")) == 1


def test_without_a_platform_it_says_so(agent: Agent) -> None:
    with agent.client() as client:
        save(client, "nowhere")
        answer = client.post("/artifacts/deploy/nowhere")
        assert (answer.status_code, answer.json()["code"]) == (503, "deployment_not_configured")
        assert "THE0_API_URL" in answer.json()["detail"]


def test_callers_without_a_turn_cannot_deploy_by_tool(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "tool")
        called = client.post("/tools/deploy_bot", json={"session_id": "tool", "call_id": "c"}).json()
        assert (called["status"], called["error"]["code"]) == ("error", "approval_required")
        # Nor with a yes that nobody gave to this turn's call.
        turn, call = ask(client, "tool")
        yes = {
            "call_id": call,
            "artifacts_sha256": "0" * 64,
            "expires_at": "2099-01-01T00:00:00Z",
            "token": "x" * 43,
        }
        forged = {"session_id": "tool", "call_id": call, "turn_id": turn, "approval": yes}
        called = client.post("/tools/deploy_bot", json=forged).json()
        assert called["error"]["code"] == "approval_required", called
        asked = {"name": "deploy_bot", "arguments": {"session_id": "tool"}}
        answer = client.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked},
            headers={"Accept": "application/json, text/event-stream"},
        )
        assert "only inside a chat turn" in answer.text
        assert deployed(platform, "tool") == []


def test_the_approval_goes_along_to_tools_in_another_process(tmp_path: Path) -> None:
    with platform_server() as platform:
        settings = {"THE0_API_URL": platform.url, "THE0_API_KEY": "planted-secret-platform-key"}
        with two_agents(tmp_path, **settings) as (chat, tools), chat.client() as client:
            save(client, "remote")
            turn, call = ask(client, "remote")
            stream = stream_of(say(client, turn, call, True))
            assert deployed(platform, "remote")[0]["id"] in stream.text
            assert direct_calls(tools) == 1
            assert direct_calls(chat) == 0


def test_what_is_not_verified_goes_out_only_by_words_that_say_so(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "gate")
        # A record that somebody wrote by hand does not count.
        forged = {"schema_version": 1, "verdict": "verified", "signature": "x"}
        client.put("/artifacts/session/gate/verification.json", content=json.dumps(forged)).raise_for_status()
        turn, call = ask(client, "gate")
        plain = client.post(f"/chat/turns/{turn}/approvals/{call}", json={"approved": True})
        assert (plain.status_code, plain.json()["code"]) == (409, "approval_conflict")
        assert stream_of(say(client, turn, call, True)).types[-1] == "complete"
        assert len(deployed(platform, "gate")) == 1
        # The user's own call is his own word; the answer says what he deploys.
        own = client.post("/artifacts/deploy/gate")
        assert (own.status_code, own.json()["verification"]) == (201, "unverified")


def test_a_yes_alone_does_not_deploy_what_is_not_verified(placed: tuple[Agent, Platform]) -> None:
    agent, platform = placed
    with agent.client() as client:
        save(client, "yes")
        turn, call = ask(client, "yes", "deploy it")
        stream = stream_of(say(client, turn, call, True))
        (result,) = stream.of("tool_result")
        assert result["status"] == "error"
        assert "has not been verified" in json.dumps(stream.chunks)
        assert deployed(platform, "yes") == []
