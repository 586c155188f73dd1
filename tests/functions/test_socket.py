"""The WebSocket on the wire, from the gateway and from the deployed chat container."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.functions.socket_session import SERVERS, new_session, with_gemini
from tests.servers.agent import Agent, agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, reply
from tests.servers.sockets import Socket, socket_to
from tests.servers.sse import read_stream


@pytest.fixture(scope="module", params=SERVERS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with agent_server(tmp_path_factory.mktemp("socket"), module=SERVERS[request.param]) as server:
        yield server


@pytest.fixture
def user() -> str:
    """A user no other test has."""
    return f"user-{uuid.uuid4().hex}"


def bare(frame: dict[str, Any]) -> dict[str, Any]:
    """The chunk as the event stream has it."""
    kept = {name: value for name, value in frame.items() if name != "event_id"}
    if kept["type"] not in ("session", "complete"):
        del kept["turn_id"]
    return kept


async def test_a_message_gives_the_chunks_of_the_stream_and_then_the_response(
    served: Agent, user: str
) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        answer = await socket.ask("Build me an RSI momentum bot for BTC/USDT on hourly candles")
        assert answer.last["type"] == "response", answer.last
        assert answer.last["message"] == answer.text != ""
        assert answer.last["session_id"] == "s"
        again = await socket.ask("Hello")
        assert again.turn_id != answer.turn_id
    with served.client() as client:
        url = f"/chat/turns/{answer.turn_id}/stream"
        stream = read_stream(client.get(url, params={"user_id": user}))
        assert client.get("/chat/sessions/s/messages", params={"user_id": user}).json()[1]["content"]
    chunks = answer.frames[:-1]
    assert {"session", "tool_call", "tool_result", "artifacts", "complete"} <= {f["type"] for f in chunks}
    assert [bare(f) for f in chunks if f["type"] != "content"] == [
        c for c in stream.chunks if c["type"] != "content"
    ]
    assert stream.text == answer.text
    ids = dict.fromkeys(f["event_id"] for f in chunks)
    assert list(ids)[-1] == stream.ids[-1]
    assert set(stream.ids) <= ids.keys()


async def test_what_cannot_be_a_message_is_an_error_and_the_socket_stays_open(
    served: Agent, user: str
) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        for frame in (
            "no json",
            "",
            "[1]",
            "null",
            b'{"message": "bytes"}',
            {},
            {"message": ""},
            {"message": "  "},
            {"message": 7},
            {"message": "x" * 32769},
            {"message": "x", "if_busy": "perhaps"},
            {"message": "x", "idempotency_key": ""},
            {"message": "x", "context": []},
            {"type": "other"},
        ):
            await socket.send(frame)
            error = await socket.next()
            assert (error["type"], error["code"]) == ("error", "invalid_request"), frame
            assert error["retryable"] is False
            assert error["session_id"] == "s"
        # The path alone names the session.
        assert (await socket.ask("Hello", session_id="other")).last["session_id"] == "s"


async def test_a_session_that_is_not_the_users_closes_with_4004(served: Agent, user: str) -> None:
    new_session(served, user, "mine")
    for session_id, who in (
        ("never", user),
        ("mine", f"{user}-other"),
        ("mine", None),
        ("bad.id", user),
        ("x" * 129, user),
    ):
        async with socket_to(served, session_id, user=who) as socket:
            assert await socket.closed() == 4004, session_id
    with served.client() as client:
        assert client.get("/chat/sessions", params={"user_id": f"{user}-other"}).json() == []


async def test_another_users_id_in_a_frame_opens_nothing(served: Agent, user: str) -> None:
    new_session(served, user, "mine")
    other = f"{user}-other"
    new_session(served, other, "theirs")
    async with socket_to(served, "mine", user=user) as socket:
        await socket.say("Hello", user_id=other)
        assert await socket.closed() == 4004
    async with socket_to(served, "theirs", user=user) as socket:
        assert await socket.closed() == 4004


async def test_the_first_message_may_name_the_user_where_nobody_authenticates(
    served: Agent, user: str
) -> None:
    session_id = new_session(served, user, f"s-{user}")
    async with socket_to(served, session_id) as socket:
        assert (await socket.ask("Hello", user_id=user)).last["type"] == "response"


async def test_a_session_deleted_meanwhile_closes_with_4004(served: Agent, user: str) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        await socket.ask("Hello")
        with served.client() as client:
            client.delete("/chat/sessions/s", params={"user_id": user}).raise_for_status()
        await socket.say("Are you there?")
        assert await socket.closed() == 4004


async def test_a_frame_that_is_too_big_closes_with_1009(served: Agent, user: str) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        await socket.say("x" * (1024 * 1024 + 1))
        assert await socket.closed() == 1009


async def test_other_paths_have_no_socket(served: Agent) -> None:
    for path in ("/ws/agent", "/ws/other/s", "/chat"):
        with pytest.raises(InvalidStatus) as refused:
            async with socket_to(served, "s", path=path):
                pass
        assert refused.value.response.status_code == 403


async def test_the_routes_are_served_beside_it(served: Agent, user: str) -> None:
    with served.client() as client:
        assert client.get("/health").json()["status"] == "healthy"
        assert client.post("/chat", json={"message": "Hello", "user_id": user}).status_code == 200
        assert client.get("/ws/agent/s").status_code == 404


async def test_the_same_idempotency_key_gives_the_same_turn(served: Agent, user: str) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        first = await socket.ask("Hello", idempotency_key="k")
    async with socket_to(served, "s", user=user) as socket:
        again = await socket.ask("Hello", idempotency_key="k")
        assert (again.turn_id, again.text) == (first.turn_id, first.text)
        other = await socket.ask("Bye", idempotency_key="k")
        assert (other.last["code"], other.last["idempotency_key"]) == ("idempotency_mismatch", "k")
    with served.client() as client:
        assert len(client.get("/chat/sessions/s/messages", params={"user_id": user}).json()) == 2


async def test_a_hundred_sockets_at_once(served: Agent, user: str) -> None:
    async def one(number: int) -> str:
        session_id = new_session(served, user, f"s{number}")
        async with socket_to(served, session_id, user=user) as socket:
            answers = [await socket.ask(f"Hello {number}") for _ in range(2)]
            assert [answer.last["type"] for answer in answers] == ["response"] * 2
            assert {frame["session_id"] for frame in answers[0].frames} == {session_id}
            return answers[0].turn_id

    turns = await asyncio.gather(*(one(number) for number in range(100)))
    assert len(set(turns)) == 100


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        (None, True),
        ("http://localhost:3000", True),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("file://", False),
    ],
)
async def test_pages_of_other_sites_open_no_socket(
    served: Agent, user: str, origin: str | None, welcome: bool
) -> None:
    new_session(served, user)
    if welcome:
        async with socket_to(served, "s", user=user, origin=origin) as socket:
            assert (await socket.ask("Hello")).last["type"] == "response"
    else:
        with pytest.raises(InvalidStatus) as refused:
            async with socket_to(served, "s", user=user, origin=origin):
                pass
        assert refused.value.response.status_code == 403
        assert b"forbidden" in (refused.value.response.body or b"")


async def test_a_public_name_that_points_here_opens_no_socket(served: Agent, user: str) -> None:
    new_session(served, user)
    with pytest.raises(InvalidStatus):
        async with socket_to(served, "s", user=user, origin="http://evil.example", Host="evil.example"):
            pass


async def test_sites_are_let_in_by_their_names(tmp_path: Path, user: str) -> None:
    with agent_server(tmp_path, WEBSOCKET_ORIGINS="https://the0.example, http://b.example:81") as agent:
        new_session(agent, user)
        for origin in ("https://the0.example", "http://B.example:81"):
            async with socket_to(agent, "s", user=user, origin=origin) as socket:
                await socket.ask("Hello")
        for origin in ("http://the0.example", "https://the0.example:444", "http://b.example"):
            with pytest.raises(InvalidStatus):
                async with socket_to(agent, "s", user=user, origin=origin):
                    pass


async def test_an_idle_socket_closes_with_4008_but_not_while_a_turn_runs(
    gemini: GeminiServer, tmp_path: Path, user: str
) -> None:
    gate = Gate()
    gemini.script(reply("Slow", gate, " answer."))
    with agent_server(tmp_path, **with_gemini(gemini, WEBSOCKET_IDLE_SECONDS="0.4")) as agent:
        new_session(agent, user)
        loop = asyncio.get_running_loop()
        async with socket_to(agent, "s", user=user) as socket:
            opened = loop.time()
            assert await socket.closed() == 4008
            assert loop.time() - opened >= 0.3
        async with socket_to(agent, "s", user=user) as socket, socket_to(agent, "s", user=user) as idle:
            await socket.say("Go")
            await socket.until(type="content")
            # The other has been idle for as long as the turn has run.
            assert await idle.closed() == 4008
            gate.open()
            assert (await socket.reply()).last["message"] == "Slow answer."
            assert await socket.closed() == 4008


def test_frames_and_addresses_are_not_logged(served: Agent, user: str) -> None:
    async def talk() -> None:
        new_session(served, user)
        async with socket_to(served, "s", path=f"/ws/agent/s?user_id={user}&token=a-secret") as socket:
            await socket.ask("a-private-word")

    asyncio.run(talk())
    logs = served.logs_with('"message":"socket"')
    assert "a-secret" not in logs
    assert "a-private-word" not in logs


async def test_closing_politely_ends_it(served: Agent, user: str) -> None:
    new_session(served, user)
    async with socket_to(served, "s", user=user) as socket:
        assert isinstance(socket, Socket)
        await socket.connection.close()
        assert socket.connection.close_code == 1000
    with served.client() as client:
        assert client.get("/health/live").status_code == httpx.codes.OK
