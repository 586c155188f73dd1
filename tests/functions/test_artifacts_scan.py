"""The scan of uploads on the wire: what is refused, what the answer says, what an artifact carries."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.servers.agent import Agent

KEY = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


@pytest.fixture
def session(client: httpx.Client) -> str:
    """A session of the default user."""
    made: str = client.post("/chat/sessions", json={}).json()["id"]
    return made


def test_a_credential_is_refused_with_its_place_and_not_its_value(
    client: httpx.Client, session: str, agent: Agent
) -> None:
    path = f"/artifacts/session/{session}/bot.py"
    client.put(path, content=b"x = 1\n")
    answer = client.put(path, content=f'import ccxt\napi_secret = "{KEY}"\n'.encode())
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "content_refused"
    assert [(found["rule"], found["line"]) for found in problem["findings"]] == [("secret-in-code", 2)]
    assert "message" in problem["findings"][0]
    assert KEY not in answer.text
    assert "ccxt" not in answer.text
    assert client.get(path).json()["version"] == 1
    assert KEY not in agent.logs()


def test_the_tool_tells_the_model_what_to_change(client: httpx.Client, session: str) -> None:
    body = {
        "arguments": {"filename": "bot.py", "content": f'api_secret = "{KEY}"\n'},
        "session_id": session,
    }
    answer = client.post("/tools/save_artifact", json=body).json()
    assert answer["status"] == "error"
    assert "line 1" in answer["error"]["message"]
    assert KEY not in str(answer)
    assert client.get(f"/artifacts/session/{session}").json() == []


def test_lesser_findings_stay_with_the_version(client: httpx.Client, session: str) -> None:
    path = f"/artifacts/session/{session}/bot.py"
    saved = client.put(path, content=b"def value(text):\n    return eval(text)\n")
    assert saved.status_code == 201
    assert [found["rule"] for found in saved.json()["findings"]] == ["B307"]
    assert client.get(path).json()["findings"] == saved.json()["findings"]
    assert "findings" not in client.put(path, content=b"def value(text):\n    return 1\n").json()
