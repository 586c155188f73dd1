"""Retention and the legal hold on the wire: what the answers hold, and who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.agent import Agent, agent_server


@pytest.fixture(scope="module")
def own_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent of its own: retention counts everything."""
    with agent_server(tmp_path_factory.mktemp("retention")) as agent:
        yield agent


@pytest.fixture
def client(own_agent: Agent) -> Iterator[httpx.Client]:
    with own_agent.client() as client:
        yield client


def session_with_file(client: httpx.Client) -> str:
    session: str = client.post("/chat/sessions", json={}).json()["id"]
    client.put(f"/artifacts/session/{session}/bot.py", content=b"x = 1\n").raise_for_status()
    return session


def retention(client: httpx.Client, **query: str) -> dict[str, object]:
    answer = client.post("/artifacts/retention", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_deleted_session_goes_and_a_held_one_waits(client: httpx.Client) -> None:
    gone, held, living = (session_with_file(client) for _ in range(3))
    hold = {"user_id": "default-user", "session_id": held, "held": True}
    assert client.put("/artifacts/retention/holds", json=hold).json() == {"held": True}
    for session in (gone, held):
        client.delete(f"/chat/sessions/{session}").raise_for_status()
    nothing = {"deleted_versions": 0, "deleted_sessions": 0, "deleted_orphans": 0, "complete": True}
    one = nothing | {"deleted_versions": 1, "deleted_sessions": 1, "kept": 2}
    assert retention(client, dry_run="true") == one
    assert retention(client) == one
    assert retention(client) == nothing | {"kept": 2}
    assert client.put("/artifacts/retention/holds", json=hold | {"held": False}).json() == {"held": False}
    assert retention(client) == one | {"kept": 1}
    assert client.get(f"/artifacts/session/{living}").json() == ["bot.py"]
    assert client.get(f"/artifacts/session/{gone}").status_code == 404
    emptied = client.put("/artifacts/retention/holds", json=hold)
    assert (emptied.status_code, emptied.json()["code"]) == (404, "session_not_found")


@pytest.mark.parametrize("query", [{"seconds": "0"}, {"seconds": "soon"}, {"dry_run": "maybe"}])
def test_wrong_parameters_are_refused(client: httpx.Client, query: dict[str, str]) -> None:
    assert client.post("/artifacts/retention", params=query).status_code in (400, 422)


def test_only_services_may_ask(tmp_path: Path) -> None:
    variables = {
        "AUTH_MODE": "jwt",
        "JWT_SECRET": "planted-secret of thirty-two bytes or more",
        "THE0_API_KEY": "k" * 20,
    }
    with agent_server(tmp_path, **variables) as agent:
        with agent.client() as client:
            assert client.post("/artifacts/retention").status_code == 401
            hold = {"user_id": "a", "session_id": "s", "held": True}
            assert client.put("/artifacts/retention/holds", json=hold).status_code == 401
        with agent.client(Authorization=f"ApiKey {variables['THE0_API_KEY']}") as client:
            assert client.post("/artifacts/retention").json()["complete"] is True
            assert client.put("/artifacts/retention/holds", json=hold).status_code == 404
