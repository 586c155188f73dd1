"""The user's own model key over HTTP: what is answered, and where the key never shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import API_KEY, GeminiServer
from tests.servers.gemini_answers import reply

KEY = "AIza-a-users-own-key-9876543210"


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


def has_key(client: httpx.Client, user_id: str = "alice") -> object:
    answer = client.get("/settings/api-key/status", params={"user_id": user_id})
    assert answer.status_code == 200
    return answer.json()


def test_a_key_is_stored_told_of_and_deleted_and_never_returned(client: httpx.Client) -> None:
    assert has_key(client) == {"has_api_key": False}
    saved = client.post("/settings/api-key", json={"api_key": f" {KEY}\n", "user_id": "alice"})
    assert (saved.status_code, saved.json()) == (200, {"message": "API key saved", "has_api_key": True})
    assert has_key(client) == {"has_api_key": True}
    assert has_key(client, "bob") == {"has_api_key": False}
    for _ in range(2):
        deleted = client.delete("/settings/api-key", params={"user_id": "alice"})
        assert deleted.status_code == 200
        assert deleted.json() == {"message": "API key deleted", "has_api_key": False}
    assert has_key(client) == {"has_api_key": False}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"api_key": ""},
        {"api_key": "   "},
        {"api_key": "x" * 513},
        {"api_key": "x\nx"},
        {"api_key": "clé"},
        {"api_key": 7},
        {"api_key": None},
        {"api_key": [KEY]},
    ],
)
def test_what_cannot_be_a_key_is_refused_and_not_shown(
    body: dict[str, object], client: httpx.Client, agent: Agent
) -> None:
    answer = client.post("/settings/api-key", json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "invalid_request"
    assert "api_key" in problem["detail"]
    assert KEY not in answer.text
    assert KEY not in agent.logs_with(problem["request_id"])


def test_the_key_is_in_no_file_and_no_log(client: httpx.Client, agent: Agent) -> None:
    answer = client.post("/settings/api-key", json={"api_key": KEY, "user_id": "carol"})
    assert answer.status_code == 200
    assert KEY not in agent.logs_with(answer.headers["x-request-id"])
    files = [path for path in agent.folder.rglob("*") if path.is_file()]
    assert any(path.name == "encryption.key" for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_a_turn_runs_on_the_users_own_key(gemini: GeminiServer, tmp_path: Path) -> None:
    gemini.api_key = KEY
    # The deployment itself has no key: the offline planner answers everybody else.
    with agent_server(tmp_path, GEMINI_BASE_URL=gemini.url) as agent, agent.client() as client:
        client.post("/settings/api-key", json={"api_key": KEY, "user_id": "alice"})
        gemini.script(reply("From her own model."))
        hers = client.post("/chat", json={"message": "Hi", "user_id": "alice"})
        assert hers.json()["response"] == "From her own model."
        assert client.post("/chat", json={"message": "Hi", "user_id": "bob"}).status_code == 200
        assert len(gemini.requests) == 1
        assert KEY not in str(gemini.requests[0].body)

        client.post("/settings/api-key", json={"api_key": "AIza-wrong", "user_id": "alice"})
        refused = client.post("/chat", json={"message": "Hi", "user_id": "alice"})
        assert refused.status_code == 502
        assert refused.json()["code"] == "model_refused"
        assert "your own model key" in refused.json()["detail"]
        logs = agent.logs_with(refused.json()["request_id"])
        assert "AIza-" not in refused.text + logs


def test_in_the_cloud_no_key_is_stored_without_encryption(tmp_path: Path) -> None:
    with agent_server(tmp_path, K_SERVICE="chat", ALLOW_UNAUTHENTICATED="true") as agent:
        with agent.client() as client:
            answer = client.post("/settings/api-key", json={"api_key": KEY})
            assert answer.status_code == 409
            assert "ENCRYPTION_KEYS" in answer.json()["detail"]
            assert has_key(client) == {"has_api_key": False}


def test_a_budget_that_is_used_up_answers_429_and_asks_no_model(gemini: GeminiServer, tmp_path: Path) -> None:
    variables = {"GEMINI_API_KEY": API_KEY, "GEMINI_BASE_URL": gemini.url, "DAILY_TOKEN_LIMIT": "1"}
    with agent_server(tmp_path, **variables) as agent, agent.client() as client:
        answer = client.post("/chat", json={"message": "Hi"})
        assert answer.status_code == 429
        assert answer.json()["code"] == "rate_limited"
        assert 1 <= int(answer.headers["retry-after"]) <= 86_400
        assert gemini.requests == []
