"""The tool routes on the wire."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers.agent import Agent


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


def test_the_catalogue_describes_every_tool(client: httpx.Client) -> None:
    tools = {tool["name"]: tool for tool in client.get("/tools").json()}
    assert set(tools) >= {
        "search_documentation",
        "list_documentation",
        "get_documentation",
        "browse_web",
        "create_bot_template",
        "analyze_code",
        "save_artifact",
        "read_artifact",
        "list_artifacts",
    }
    for tool in tools.values():
        assert set(tool) == {"name", "description", "input_schema", "output_schema", "requires_approval"}
        assert tool["description"].endswith(".")
        assert tool["input_schema"]["type"] == "object"
        assert "context" not in tool["input_schema"].get("properties", {})


def test_a_tool_runs_and_saves_into_its_session(client: httpx.Client) -> None:
    session = uuid.uuid4().hex
    saved = client.post(
        "/tools/save_artifact",
        json={
            "arguments": {"filename": "a.py", "content": "x = 1\n"},
            "session_id": session,
            "call_id": "c1",
        },
    ).json()
    assert saved["status"] == "ok"
    assert saved["call_id"] == "c1"
    assert saved["result"]["version"] == 1
    assert client.get(f"/artifacts/session/{session}").json() == ["a.py"]
    read = client.post(
        "/tools/read_artifact", json={"arguments": {"filename": "a.py"}, "session_id": session}
    ).json()
    assert read["result"]["content"] == "x = 1\n"


def test_a_tool_that_fails_answers_in_words_for_the_model(client: httpx.Client) -> None:
    wrong = client.post("/tools/save_artifact", json={"arguments": {"filename": 5}}).json()
    assert wrong["status"] == "error"
    assert wrong["error"]["code"] == "invalid_arguments"
    assert "filename" in wrong["error"]["message"]
    assert "content" in wrong["error"]["message"]
    extra = client.post("/tools/list_artifacts", json={"arguments": {"surprise": 1}}).json()
    assert "surprise" in extra["error"]["message"]
    nowhere = client.post(
        "/tools/save_artifact", json={"arguments": {"filename": "a", "content": "b"}}
    ).json()
    assert "session_id" in nowhere["error"]["message"]


def test_unknown_tools_and_bad_bodies(client: httpx.Client) -> None:
    unknown = client.post("/tools/rm_rf", json={"arguments": {}})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "tool_not_found")
    assert client.post("/tools/list_artifacts", json={"arguments": []}).status_code == 422
    assert client.post("/tools/list_artifacts", json={"session_id": "a b"}).status_code == 422


def test_documentation_is_searched_by_the_platforms_route(client: httpx.Client) -> None:
    answer = client.get("/api/docs/search", params={"q": "cron schedule of a bot", "limit": 3}).json()
    assert answer["query"] == "cron schedule of a bot"
    assert 1 <= len(answer["results"]) <= 3
    assert set(answer["results"][0]) == {"title", "heading", "path", "url", "content", "score"}
    assert client.get("/api/docs/search").status_code == 400


def test_the_same_call_id_runs_once(client: httpx.Client) -> None:
    session = uuid.uuid4().hex

    def save(content: str, **more: str) -> dict[str, Any]:
        body = {"arguments": {"filename": "a.py", "content": content}, "session_id": session, **more}
        answer: dict[str, Any] = client.post("/tools/save_artifact", json=body).json()
        return answer

    first = save("x = 1\n", call_id="c1")
    assert (first["status"], first["artifacts"], first["untrusted"]) == ("ok", ["a.py"], False)
    save("x = 2\n", call_id="c2")
    # Ran again, it would save a third version.
    assert save("x = 1\n", call_id="c1") == first
    assert save("x = 3\n", call_id="c1")["error"]["code"] == "call_id_mismatch"
    newest = client.get(f"/artifacts/session/{session}/a.py").json()
    assert (newest["version"], newest["content"]) == (2, "x = 2\n")
    assert save("x = 1\n")["result"]["version"] == 3
