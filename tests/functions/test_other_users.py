"""Every route with another user's ids: a 404, or nothing of theirs. A route without a case here fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import jwt
import pytest

from tests.servers.agent import Agent, agent_server
from tests.servers.platform import platform_server
from tests.shared.deployment.bots import tiny_bot

SECRET = "planted-secret of thirty-two bytes or more"

# theirs: the ids are another user's, 404. own: the same ids are the caller's own things, none of the other's.
# service: users may not call it. public: nothing of anybody's.
Kind = Literal["theirs", "own", "service", "public"]


@dataclass(frozen=True, slots=True)
class Case:
    """One request; names in braces stand for the owner's ids."""

    kind: Kind
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


CHAT = {"message": "What did I say before? List my files.", "session_id": "{session_id}"}
MCP = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "read_artifact",
        "arguments": {"filename": "{filename}", "session_id": "{session_id}"},
    },
}
CASES: dict[tuple[str, str], Case] = {
    ("POST", "/chat"): Case("own", CHAT, headers={"Idempotency-Key": "{key}"}),
    ("POST", "/chat/stream"): Case("own", CHAT, headers={"Idempotency-Key": "{key}"}),
    ("POST", "/api/agent/chat"): Case("own", CHAT, headers={"Idempotency-Key": "{key}"}),
    ("GET", "/chat/turns/{turn_id}"): Case("theirs"),
    ("GET", "/chat/turns/{turn_id}/stream"): Case("theirs"),
    ("POST", "/chat/turns/{turn_id}/cancel"): Case("theirs"),
    ("POST", "/chat/turns/{turn_id}/resume"): Case("theirs"),
    ("POST", "/chat/turns/{turn_id}/approvals/{tool_call_id}"): Case("theirs", {"approved": True}),
    ("POST", "/chat/sessions"): Case("own", {"session_id": "{session_id}"}),
    ("GET", "/chat/sessions"): Case("own"),
    ("GET", "/chat/sessions/{session_id}"): Case("theirs"),
    ("GET", "/chat/sessions/{session_id}/messages"): Case("theirs"),
    ("PUT", "/chat/sessions/{session_id}/title"): Case("theirs", {"title": "mine now"}),
    ("PATCH", "/chat/sessions/{session_id}/context"): Case("theirs", {"mine": "now"}),
    ("DELETE", "/chat/sessions/{session_id}"): Case("theirs"),
    ("GET", "/chat/sessions/{session_id}/export"): Case("theirs"),
    ("GET", "/chat/user/export"): Case("own"),
    ("DELETE", "/chat/user"): Case("own", {"confirm": "ann"}),
    ("GET", "/settings/api-key/status"): Case("own"),
    ("POST", "/settings/api-key"): Case("own", {"api_key": "AIza" + "m" * 35}),
    ("DELETE", "/settings/api-key"): Case("own"),
    ("GET", "/artifacts/session/{session_id}"): Case("theirs"),
    ("GET", "/artifacts/session/{session_id}/{filename}"): Case("theirs"),
    ("PUT", "/artifacts/session/{session_id}/{filename}"): Case("theirs", {"content": "mine now"}),
    ("DELETE", "/artifacts/session/{session_id}/{filename}"): Case("theirs"),
    ("GET", "/artifacts/versions/{session_id}/{filename}"): Case("theirs"),
    ("POST", "/artifacts/versions/{session_id}/{filename}"): Case("theirs", {"restore": 1}),
    ("GET", "/artifacts/diff/{session_id}/{filename}"): Case("theirs"),
    ("GET", "/artifacts/download"): Case("theirs", query={"session_id": "{session_id}"}),
    ("GET", "/artifacts/{filename}"): Case("theirs", query={"session_id": "{session_id}"}),
    ("POST", "/artifacts/deploy/{session_id}"): Case("theirs", {"name": "mine now"}),
    ("POST", "/artifacts/deploy/{session_id}/instances"): Case("theirs", {"name": "mine now"}),
    ("GET", "/artifacts/deploy/{session_id}/instances"): Case("theirs"),
    ("GET", "/artifacts/deploy/{session_id}/instances/{bot_id}"): Case("theirs"),
    ("PUT", "/artifacts/deploy/{session_id}/instances/{bot_id}"): Case("theirs", {"name": "mine now"}),
    ("DELETE", "/artifacts/deploy/{session_id}/instances/{bot_id}"): Case("theirs"),
    ("POST", "/artifacts/retention"): Case("service"),
    ("PUT", "/artifacts/retention/holds"): Case(
        "service", {"user_id": "ann", "session_id": "{session_id}", "held": True}
    ),
    ("POST", "/events"): Case(
        "service",
        {
            "specversion": "1.0",
            "id": "e",
            "source": "mallory",
            "type": "turn.resume",
            "data": {"user_id": "ann", "session_id": "{session_id}", "turn_id": "{turn_id}"},
        },
    ),
    ("POST", "/events/publish"): Case("service"),
    ("POST", "/events/upkeep"): Case("service"),
    ("GET", "/events/dead-letters"): Case("service"),
    ("GET", "/events/dead-letters/{letter_id}"): Case("service"),
    ("POST", "/events/dead-letters/{letter_id}/replay"): Case("service"),
    ("POST", "/nats/pull"): Case("service"),
    ("POST", "/nats/publish"): Case("service"),
    ("GET", "/nats/health"): Case("public"),
    ("GET", "/nats/metrics"): Case("public"),
    ("GET", "/tools"): Case("own"),
    ("POST", "/tools/{name}"): Case(
        "own",
        {"arguments": {"filename": "{filename}"}, "session_id": "{session_id}", "call_id": "{call_id}"},
    ),
    ("GET", "/api/docs/search"): Case("public", query={"q": "bot"}),
    ("GET", "/api/docs/raw/{path}"): Case("public"),
    ("POST", "/mcp"): Case(
        "own",
        MCP,
        headers={"X-Session-Id": "{session_id}", "Accept": "application/json, text/event-stream"},
    ),
    ("GET", "/health"): Case("public"),
    ("GET", "/health/live"): Case("public"),
    ("GET", "/livez"): Case("public"),
    ("GET", "/metrics"): Case("public"),
    ("GET", "/version"): Case("public"),
}


@dataclass(slots=True)
class Owner:
    """A user with one of everything; `word` is in all of it that is text."""

    agent: Agent
    name: str
    word: str
    ids: dict[str, str]

    def client(self, user: str) -> httpx.Client:
        """A client of that user."""
        soon = datetime.now(UTC) + timedelta(hours=1)
        token = jwt.encode({"sub": user, "exp": soon}, SECRET, "HS256")
        return self.agent.client(Authorization=f"Bearer {token}")

    def send(self, user: str, method: str, path: str, case: Case) -> httpx.Response:
        """The case's request with this owner's ids, sent by a user."""
        with self.client(user) as client:
            return client.request(
                method,
                self.filled(path),
                json=self.filled(case.body),
                params={**self.filled(case.query), "user_id": self.name},
                headers=self.filled(case.headers),
            )

    def filled(self, value: Any) -> Any:
        """The value with the owner's ids in the place of their names in braces."""
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if not isinstance(value, str):
            return value
        for name, found in self.ids.items():
            value = value.replace("{" + name + "}", found)
        return value


class Anybody(dict[str | None, str]):
    """A platform's users: whoever comes with a token."""

    def get(self, key: str | None, default: Any = None) -> Any:
        return "ann" if key else default


@pytest.fixture(scope="module")
def jwt_agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with (
        platform_server(users=Anybody()) as platform,
        agent_server(
            tmp_path_factory.mktemp("others"),
            AUTH_MODE="jwt",
            JWT_SECRET=SECRET,
            THE0_API_URL=platform.url,
        ) as agent,
    ):
        yield agent


@pytest.fixture(scope="module")
def ann(jwt_agent: Agent) -> Owner:
    word = f"zanzibar{uuid.uuid4().hex[:8]}"
    ids = {
        "session_id": f"s-{uuid.uuid4().hex[:8]}",
        "filename": "notes.md",
        "call_id": "call-1",
        "key": uuid.uuid4().hex,
        "name": "read_artifact",
        "path": "cli.md",
        "tool_call_id": "none",
        "letter_id": "none",
    }
    owner = Owner(jwt_agent, "ann", word, ids)
    session_id = ids["session_id"]
    with owner.client("ann") as client:
        made = {"session_id": session_id, "title": word, "context": {"w": word}}
        client.post("/chat/sessions", json=made).raise_for_status()
        client.put(f"/artifacts/session/{session_id}/notes.md", content=word.encode()).raise_for_status()
        said = client.post(
            "/chat",
            json={"message": f"list my files, {word}", "session_id": session_id},
            headers={"Idempotency-Key": ids["key"]},
        ).json()
        for name, data in tiny_bot().items():
            client.put(f"/artifacts/session/{session_id}/{name}", content=data).raise_for_status()
        client.post(f"/artifacts/deploy/{session_id}").raise_for_status()
        started = client.post(f"/artifacts/deploy/{session_id}/instances", json={"name": word})
        called = client.post("/tools/read_artifact", json=owner.filled(CASES["POST", "/tools/{name}"].body))
        assert word in called.text
    ids["turn_id"] = said["turn_id"]
    ids["bot_id"] = started.json()["bot_id"]
    ids["tool_call_id"] = next((call["id"] for call in said["tool_calls"]), "none")
    return owner


def stranger() -> str:
    """A user no other case has, with nothing yet."""
    return f"mallory-{uuid.uuid4().hex}"


def routes_of(agent: Agent) -> set[tuple[str, str]]:
    with agent.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_every_route_has_its_case(jwt_agent: Agent) -> None:
    assert routes_of(jwt_agent) - CASES.keys() == set(), "say in CASES what another user's ids give there"


@pytest.mark.parametrize(("method", "path"), CASES, ids=str)
def test_another_users_ids_give_nothing(ann: Owner, method: str, path: str) -> None:
    if (method, path) not in routes_of(ann.agent):
        # Named by the contract, served by a later function.
        assert ann.send(stranger(), method, path, CASES[method, path]).status_code in (404, 405)
        return
    case = CASES[method, path]
    answer = ann.send(stranger(), method, path, case)
    assert ann.word not in answer.text
    if case.kind == "theirs":
        assert answer.status_code == 404, answer.text
        assert answer.json()["code"] in ("session_not_found", "turn_not_found", "artifact_not_found")
    elif case.kind == "service":
        assert answer.status_code in (401, 403)
    elif case.kind == "own":
        assert answer.status_code < 500, answer.text
        assert ann.ids["turn_id"] not in answer.text


@pytest.mark.parametrize(("method", "path"), CASES, ids=str)
def test_what_is_anothers_looks_like_what_is_not_there(ann: Owner, method: str, path: str) -> None:
    case = CASES[method, path]
    if case.kind != "theirs" or (method, path) not in routes_of(ann.agent):
        return
    nowhere = Owner(ann.agent, "nobody", "", {**ann.ids, "session_id": "never", "turn_id": str(uuid.uuid4())})
    theirs, absent = (owner.send(stranger(), method, path, case).json() for owner in (ann, nowhere))
    for problem in (theirs, absent):
        for name in ("request_id", "instance"):
            problem.pop(name)
    assert theirs == absent


def test_the_owner_still_has_everything_and_the_cases_ids_are_hers(ann: Owner) -> None:
    with ann.client("ann") as client:
        session_id = ann.ids["session_id"]
        session = client.get(f"/chat/sessions/{session_id}").json()
        assert session["session"]["title"] == ann.word
        assert session["session"]["context"] == {"w": ann.word}
        assert len(session["messages"]) == 2
        file = client.get(f"/artifacts/session/{session_id}/notes.md").json()
        assert (file["content"], file["version"]) == (ann.word, 1)
        assert client.get("/settings/api-key/status").json() == {"has_api_key": False}
    served = routes_of(ann.agent)
    for (method, path), case in CASES.items():
        if case.kind == "theirs" and method == "GET" and (method, path) in served:
            assert ann.send("ann", method, path, case).status_code == 200, path
