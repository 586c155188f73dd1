"""The chat routes on the wire, with the offline planner."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.servers.agent import Agent
from tests.servers.sse import chat_stream, read_stream


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client() as client:
        yield client


@pytest.fixture
def user() -> str:
    """A user no other test has."""
    return f"user-{uuid.uuid4().hex}"


def test_chat_answers_with_every_field_of_the_contract(client: httpx.Client, user: str) -> None:
    answer = client.post("/chat", json={"message": "Hello, who are you?", "user_id": user}).json()
    assert set(answer) == {
        "session_id",
        "turn_id",
        "response",
        "message",
        "artifacts",
        "tool_calls",
        "usage",
        "model",
        "finish_reason",
    }
    assert answer["response"] == answer["message"]
    assert "offline" in answer["response"].lower()
    assert uuid.UUID(answer["turn_id"]).version == 7
    assert answer["finish_reason"] == "stop"
    assert answer["usage"]["total_tokens"] == (
        answer["usage"]["input_tokens"] + answer["usage"]["output_tokens"]
    )


def test_a_turn_can_be_read_again(client: httpx.Client, user: str) -> None:
    answer = client.post("/chat", json={"message": "Hello", "user_id": user}).json()
    turn = client.get(f"/chat/turns/{answer['turn_id']}", params={"user_id": user}).json()
    assert turn["status"] == "completed"
    assert turn["response"] == answer["response"]
    assert turn["session_id"] == answer["session_id"]
    assert turn["created_at"].endswith("Z")
    assert turn["completed_at"] >= turn["created_at"]


def test_a_stream_begins_with_the_turn_and_ends_with_done(client: httpx.Client, user: str) -> None:
    stream = chat_stream(client, "Hello", user_id=user)
    assert stream.types == ["session", "content", "complete"]
    assert stream.done
    assert len({chunk["session_id"] for chunk in stream.chunks}) == 1
    positions = [tuple(map(int, one.split("."))) for one in stream.ids]
    assert positions == sorted(set(positions))
    turn_id = stream.chunks[0]["turn_id"]
    turn = client.get(f"/chat/turns/{turn_id}", params={"user_id": user}).json()
    assert turn["response"] == stream.text


def test_a_stream_is_taken_up_from_every_one_of_its_ids(client: httpx.Client, user: str) -> None:
    stream = chat_stream(client, "What is a scheduled bot?", user_id=user)
    turn_id = stream.chunks[0]["turn_id"]
    for index, last in enumerate(stream.ids):
        rest = client.get(
            f"/chat/turns/{turn_id}/stream", params={"user_id": user}, headers={"Last-Event-ID": last}
        )
        again = read_stream(rest)
        assert again.done
        after = stream.chunks[index + 1 :]
        assert again.text == "".join(c["content"] for c in after if c["type"] == "content")
        assert [c for c in again.chunks if c["type"] != "content"] == [
            c for c in after if c["type"] != "content"
        ]


def test_the_same_idempotency_key_gives_the_same_turn(client: httpx.Client, user: str) -> None:
    body = {"message": "Hello", "user_id": user}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = client.post("/chat", json=body, headers=headers).json()
    assert client.post("/chat", json=body, headers=headers).json() == first
    other = client.post("/chat", json={**body, "message": "Bye"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_mismatch"
    messages = client.get(f"/chat/sessions/{first['session_id']}/messages", params={"user_id": user})
    assert len(messages.json()) == 2


def test_a_session_lives_through_its_routes(client: httpx.Client, user: str) -> None:
    as_user = {"user_id": user}
    made = client.post("/chat/sessions", json={"session_id": "mine", "context": {"a": 1}, **as_user})
    assert made.status_code == 201
    assert made.json()["id"] == "mine"
    client.post("/chat", json={"message": "Hello there, agent", "session_id": "mine", **as_user})
    listed = client.get("/chat/sessions", params=as_user).json()
    assert [(s["id"], s["title"], s["is_active"]) for s in listed] == [("mine", "Hello there, agent", True)]
    assert client.put("/chat/sessions/mine/title", params=as_user, json={"title": "New"}).json() == {
        "message": "Session title updated"
    }
    client.put("/chat/sessions/mine/title", params={**as_user, "title": "Newer"})
    patched = client.patch(
        "/chat/sessions/mine/context", params=as_user, json={"a": None, "b": {"c": [1]}}
    ).json()
    assert patched["context"] == {"b": {"c": [1]}}
    session = client.get("/chat/sessions/mine", params=as_user).json()
    assert session["session"]["title"] == "Newer"
    assert session["session"]["context"] == {"b": {"c": [1]}}
    assert [m["role"] for m in session["messages"]] == ["user", "assistant"]
    assert session["messages"][0]["content"] == "Hello there, agent"
    assert client.delete("/chat/sessions/mine", params=as_user).json() == {"message": "Session deleted"}
    assert client.get("/chat/sessions", params=as_user).json() == []
    gone = client.get("/chat/sessions/mine", params=as_user)
    assert (gone.status_code, gone.json()["code"]) == (404, "session_not_found")


def test_lists_page_by_link_header(client: httpx.Client, user: str) -> None:
    for number in range(5):
        client.post("/chat/sessions", json={"session_id": f"s{number}", "user_id": user})
    seen: list[str] = []
    url: str | None = f"/chat/sessions?user_id={user}&limit=2"
    while url:
        page = client.get(url)
        seen += [session["id"] for session in page.json()]
        url = page.links["next"]["url"] if "next" in page.links else None
    assert seen == ["s4", "s3", "s2", "s1", "s0"]


def test_another_users_things_are_not_found(client: httpx.Client, user: str) -> None:
    mine = client.post("/chat", json={"message": "Hello", "user_id": user, "session_id": "same"}).json()
    other = {"user_id": f"{user}-other"}
    turn = f"/chat/turns/{mine['turn_id']}"
    for answer in (
        client.get("/chat/sessions/same", params=other),
        client.get("/chat/sessions/same/messages", params=other),
        client.put("/chat/sessions/same/title", params={**other, "title": "x"}),
        client.patch("/chat/sessions/same/context", params=other, json={}),
        client.delete("/chat/sessions/same", params=other),
        client.get(turn, params=other),
        client.get(f"{turn}/stream", params=other),
        client.post(f"{turn}/cancel", params=other),
        client.get("/artifacts/session/same", params=other),
        client.get("/artifacts/download", params={**other, "session_id": "same"}),
        client.put("/artifacts/session/same/x.py", params=other, content=b"x"),
    ):
        assert answer.status_code == 404, answer.request.url
    # The other user may have a session of the same id: it is another session.
    theirs = client.post("/chat", json={"message": "Hi", "session_id": "same", **other}).json()
    assert theirs["turn_id"] != mine["turn_id"]
    messages = client.get("/chat/sessions/same/messages", params=other).json()
    assert [m["content"] for m in messages if m["role"] == "user"] == ["Hi"]


BAD_BODIES: list[tuple[dict[str, Any] | bytes, int]] = [
    (b"{", 400),
    (b"[]", 422),
    (b'"text"', 422),
    ({}, 422),
    ({"message": ""}, 422),
    ({"message": "   "}, 422),
    ({"message": "x" * 32769}, 422),
    ({"message": 5}, 422),
    ({"message": "x", "session_id": "a b"}, 422),
    ({"message": "x", "session_id": "a" * 129}, 422),
    ({"message": "x", "context": []}, 422),
    ({"message": "x", "model": "../x y"}, 422),
    ({"message": "x", "user_id": "a\x00b"}, 422),
    ({"message": "x", "if_busy": "perhaps"}, 422),
    (b'{"message": "\xff"}', 400),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
@pytest.mark.parametrize("path", ["/chat", "/chat/stream", "/api/agent/chat"])
def test_bad_input_is_told_by_field(
    client: httpx.Client, path: str, body: dict[str, Any] | bytes, status: int
) -> None:
    if isinstance(body, bytes):
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    else:
        answer = client.post(path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(problem)
    assert problem["code"] == "invalid_request"
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_other_media_types_and_sizes_are_refused(client: httpx.Client) -> None:
    text = client.post("/chat", content=b"message=hi", headers={"Content-Type": "text/plain"})
    assert (text.status_code, text.json()["code"]) == (415, "unsupported_media_type")
    large = client.post(
        "/chat", content=b"x" * (1024 * 1024 + 1), headers={"Content-Type": "application/json"}
    )
    assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")


def test_unknown_paths_and_methods(client: httpx.Client) -> None:
    assert client.get("/nothing").json()["code"] == "not_found"
    assert client.delete("/chat").json()["code"] == "method_not_allowed"
    unknown = client.get(f"/chat/turns/{uuid.uuid4()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "turn_not_found")
    for strange in ("limit=0", "limit=201", "limit=x", "cursor=!!"):
        assert client.get(f"/chat/sessions?{strange}").status_code == 400


def test_request_ids_are_taken_or_made(client: httpx.Client) -> None:
    assert client.get("/health/live", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    made = client.get("/health/live", headers={"X-Request-Id": "not one!"}).headers["x-request-id"]
    assert uuid.UUID(made).version == 7


def test_health_names_every_part(client: httpx.Client) -> None:
    health = client.get("/health")
    assert health.status_code == 200
    body = health.json()
    assert body["status"] == "healthy"
    assert set(body["checks"]) == {
        "gemini",
        "database",
        "minio",
        "redis",
        "nats",
        "sandbox",
        "active_sessions",
    }
    assert client.get("/version").json().keys() == {"version", "commit_hash", "build_date"}
    metrics = client.get("/metrics").text
    assert "ai_requests_total" in metrics
    assert "turn_overhead_seconds" in metrics


def test_logs_hold_ids_and_no_text(agent: Agent, client: httpx.Client) -> None:
    secret = f"sk-{uuid.uuid4().hex}"
    answer = client.post("/chat", json={"message": f"My key is {secret}", "user_id": "log-user"}).json()
    logs = agent.logs_with(answer["turn_id"])
    assert secret not in logs
