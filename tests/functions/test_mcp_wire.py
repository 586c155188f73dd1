"""`POST /mcp` on the wire: what no well-behaved client sends, and who may send at all."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from mcp_types import PARSE_ERROR
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from tests.functions.test_targets import started
from tests.servers.agent import Agent, agent_server
from tests.servers.ports import wait_for

ACCEPT = "application/json, text/event-stream"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
SECRET = "planted-secret of at least thirty-two bytes"


@pytest.fixture
def client(agent: Agent) -> Iterator[httpx.Client]:
    with agent.client(accept=ACCEPT) as client:
        yield client


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder = tmp_path_factory.mktemp("guarded")
    with agent_server(folder, AUTH_MODE="jwt", JWT_SECRET=SECRET) as server:
        yield server


def token(user: str, lifetime: int = 60) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + lifetime}, SECRET, algorithm="HS256")


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.mark.parametrize("asked", [*HANDSHAKE_PROTOCOL_VERSIONS, "1999-01-01"])
def test_the_handshake_answers_each_revision(client: httpx.Client, asked: str) -> None:
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    answer = client.post("/mcp", json={"jsonrpc": "2.0", "id": "i", "method": "initialize", "params": params})
    assert answer.status_code == 200
    assert "mcp-session-id" not in answer.headers
    agreed = answer.json()["result"]["protocolVersion"]
    assert agreed == (asked if asked in HANDSHAKE_PROTOCOL_VERSIONS else HANDSHAKE_PROTOCOL_VERSIONS[-1])


def test_no_request_needs_another_before_it(client: httpx.Client) -> None:
    assert client.post("/mcp", json=LIST).json()["result"]["tools"]
    noted = client.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (noted.status_code, noted.content) == (202, b"")


def test_an_unknown_revision_in_the_header_is_refused(client: httpx.Client) -> None:
    answer = client.post("/mcp", json=LIST, headers={"MCP-Protocol-Version": "1999-01-01"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_there_is_no_stream_and_no_session_to_end(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/mcp")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        '{"jsonrpc":"2.0","id":1,"method":"tools/list"',
        "null",
        '"text"',
        "7",
        "[]",
        json.dumps([LIST, LIST]),
        json.dumps({**LIST, "jsonrpc": "1.0"}),
        json.dumps({"jsonrpc": "2.0", "id": 1}),
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
    ],
)
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_what_is_no_single_message_is_a_400_in_json_rpc(
    client: httpx.Client, body: str, version: str
) -> None:
    headers = {"content-type": "application/json", "mcp-protocol-version": version}
    answer = client.post("/mcp", content=body, headers=headers)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["error"]["code"] in (PARSE_ERROR, -32600, -32601, -32602, -32020)
    assert len(answer.content) < 4000


def test_a_batch_is_refused_in_words(client: httpx.Client) -> None:
    answer = client.post("/mcp", json=[LIST, LIST])
    assert answer.status_code == 400
    assert "batches are not served" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({**LIST, "method": "tools/unknown"}, -32601),
        ({**LIST, "method": "completion/complete"}, -32602),
        ({**LIST, "method": "tools/call"}, -32602),
        ({**LIST, "method": "tools/call", "params": {"name": 7}}, -32602),
        ({**LIST, "method": "tools/call", "params": {"name": "list_artifacts", "arguments": []}}, -32602),
        ({**LIST, "method": "resources/read", "params": {}}, -32602),
    ],
)
def test_a_wrong_message_is_an_error_with_its_code(
    client: httpx.Client, message: dict[str, Any], code: int
) -> None:
    answer = client.post("/mcp", json=message).json()
    assert answer["id"] == 1
    assert answer["error"]["code"] == code


def test_too_much_or_of_another_type_is_a_problem(client: httpx.Client) -> None:
    large = client.post("/mcp", json=call("save_artifact", content="x" * 1_100_000))
    assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")
    plain = client.post("/mcp", content="{}", headers={"content-type": "text/plain"})
    assert (plain.status_code, plain.json()["code"]) == (415, "unsupported_media_type")
    assert client.post("/mcp", json=LIST, headers={"accept": "text/html"}).status_code == 406
    # A client that takes only JSON is served: no answer is ever a stream.
    assert client.post("/mcp", json=LIST, headers={"accept": "application/json"}).status_code == 200


def test_odd_text_comes_back_as_it_went(client: httpx.Client) -> None:
    session, odd = uuid.uuid4().hex, "\u0000\u2028 \U0001f600 \\ud800"
    saved = client.post("/mcp", json=call("save_artifact", filename="o", content=odd, session_id=session))
    assert saved.json()["result"]["isError"] is False
    read = client.post("/mcp", json=call("read_artifact", filename="o", session_id=session)).json()
    assert read["result"]["structuredContent"]["content"] == odd
    lone = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\udc00"}}'
    for version in ("2025-06-18", "2026-07-28"):
        headers = {"content-type": "application/json", "mcp-protocol-version": version}
        assert client.post("/mcp", content=lone, headers=headers).status_code in (200, 400)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:5173"}, 200),
        ({"origin": "http://127.0.0.1:1"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://localhost.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://[bad"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:8080", "origin": "http://evil.example:8080"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "agent"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "192.168.1.5:8080", "origin": "http://192.168.1.5:8080"}, 200),
        ({"x-session-id": "a b"}, 400),
    ],
)
def test_pages_of_other_sites_are_refused(client: httpx.Client, headers: dict[str, str], status: int) -> None:
    answer = client.post("/mcp", json=LIST, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "forbidden"


def test_without_credentials_nothing_is_told(guarded: Agent) -> None:
    with guarded.client(accept=ACCEPT) as client:
        for headers in ({}, {"authorization": f"Bearer {token('ann', -120)}"}, {"authorization": "Bearer x"}):
            answer = client.post("/mcp", json=LIST, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert client.post("/mcp?user_id=ann", json=LIST).status_code == 401


def test_the_token_says_whose_files_they_are(guarded: Agent) -> None:
    session = uuid.uuid4().hex
    with (
        guarded.client(accept=ACCEPT, authorization=f"Bearer {token('ann')}") as ann,
        guarded.client(accept=ACCEPT, authorization=f"Bearer {token('bob')}") as bob,
    ):
        saved = ann.post("/mcp", json=call("save_artifact", filename="a", content="1", session_id=session))
        assert saved.json()["result"]["isError"] is False
        uri = f"artifact://{session}/a"
        read = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}}
        assert ann.post("/mcp", json=read).json()["result"]["contents"][0]["text"] == "1"
        assert bob.post("/mcp", json=read).json()["error"]["data"] == {"code": "session_not_found"}
        listed = bob.post("/mcp", json=call("list_artifacts", session_id=session)).json()["result"]
        assert '"a"' not in listed["content"][0]["text"]
        # With authentication a public name is the rule, not a sign of rebinding.
        public = ann.post("/mcp", json=LIST, headers={"host": "agent.example.com"})
        assert public.status_code == 200


def test_where_nobody_authenticates_the_query_names_the_user(client: httpx.Client) -> None:
    session = uuid.uuid4().hex
    body = call("save_artifact", filename="a", content="1", session_id=session)
    assert client.post("/mcp?user_id=ann", json=body).json()["result"]["isError"] is False
    assert client.get(f"/artifacts/session/{session}?user_id=ann").json() == ["a"]


def test_calls_are_counted_and_logged_without_their_text(agent: Agent, client: httpx.Client) -> None:
    secret = uuid.uuid4().hex
    client.post("/mcp", json=call("search_documentation", query=secret))
    metrics = client.get("/metrics").text
    assert 'tool_name="search_documentation"' in metrics
    assert 'session_type="mcp"' in metrics
    logs = agent.logs_with('"tool":"search_documentation"')
    lines = [json.loads(line) for line in logs.splitlines() if '"route":"/mcp"' in line]
    assert any(line.get("tool") == "search_documentation" for line in lines)
    assert secret not in logs


def test_the_sdk_is_not_loaded_before_it_is_needed(repository: Path) -> None:
    import subprocess
    import sys

    code = "import functions.tools.routes, sys; print([m for m in ('mcp', 'mcp_types') if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == "[]"


async def test_many_at_once_are_served_each_for_itself(agent: Agent) -> None:
    session = uuid.uuid4().hex
    async with httpx.AsyncClient(
        base_url=agent.url, headers={"accept": ACCEPT}, timeout=60, trust_env=False
    ) as client:
        await client.post("/mcp", json=call("list_artifacts", session_id=session))
        answers = await asyncio.gather(
            *(
                client.post(
                    "/mcp",
                    json={**call("save_artifact", filename=f"{n}", content="x", session_id=session), "id": n},
                )
                for n in range(32)
            )
        )
    assert [answer.json()["id"] for answer in answers] == list(range(32))
    saved = [answer.json()["result"]["structuredContent"]["filename"] for answer in answers]
    assert saved == [str(n) for n in range(32)]


def test_the_function_serves_it_alone(tmp_path: Path) -> None:
    with started("tools", tmp_path) as (process, url):
        wait_for(f"{url}/health/live", process)
        answer = httpx.post(f"{url}/mcp", json=LIST, headers={"accept": ACCEPT}, timeout=60, trust_env=False)
    assert answer.json()["result"]["tools"]
