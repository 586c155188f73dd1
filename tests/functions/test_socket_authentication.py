"""AUTH_MODE=jwt on the WebSocket: where credentials may stand, how long they hold, whose session it is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.functions.test_authentication import BAD_TOKENS, SECRET, Platform, claims, platform
from tests.servers.agent import Agent, agent_server
from tests.servers.sockets import Socket, socket_to

__all__ = ["platform"]


@pytest.fixture(scope="module")
def by_secret(platform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    variables = {"JWT_ISSUER": "issuer", "JWT_AUDIENCE": "agent", "THE0_API_URL": platform}
    folder = tmp_path_factory.mktemp("socket-auth")
    with agent_server(folder, AUTH_MODE="jwt", JWT_SECRET=SECRET, **variables) as agent:
        for user in ("ann", "kim"):
            with agent.client(Authorization=f"Bearer {token_of(user)}") as client:
                client.post("/chat/sessions", json={"session_id": f"of-{user}"}).raise_for_status()
        yield agent


def token_of(user: str, **changes: Any) -> str:
    return jwt.encode(claims(sub=user, **changes), SECRET, "HS256")


def socket_of(agent: Agent, session_id: str = "of-ann", **how: Any) -> AbstractAsyncContextManager[Socket]:
    return socket_to(agent, session_id, **how)


async def says_hello(socket: Socket) -> None:
    assert (await socket.ask("Hello")).last["type"] == "response"


async def test_the_header_of_every_route_opens_it(by_secret: Agent) -> None:
    async with socket_of(by_secret, Authorization=f"Bearer {token_of('ann')}") as socket:
        await says_hello(socket)
    async with socket_of(by_secret, "of-kim", x_api_key="good-kim") as socket:
        await says_hello(socket)
    async with socket_of(by_secret, "of-kim", Authorization="ApiKey good-kim") as socket:
        await says_hello(socket)


async def test_a_browser_shows_its_token_as_a_protocol_from_any_site(by_secret: Agent) -> None:
    protocols = ["bearer", token_of("ann")]
    async with socket_of(by_secret, protocols=protocols, origin="https://the0.example") as socket:
        assert socket.connection.subprotocol == "bearer"
        await says_hello(socket)
    async with socket_of(by_secret, "of-kim", protocols=["apikey", "good-kim"]) as socket:
        assert socket.connection.subprotocol == "apikey"
        await says_hello(socket)


async def test_a_first_frame_may_show_it(by_secret: Agent) -> None:
    for session_id, frame in (
        ("of-ann", {"type": "auth", "token": token_of("ann")}),
        ("of-kim", {"type": "auth", "api_key": "good-kim"}),
    ):
        async with socket_of(by_secret, session_id) as socket:
            await socket.send(frame)
            assert await socket.next() == {"type": "authenticated", "session_id": session_id}
            await says_hello(socket)


@pytest.mark.parametrize(
    "frame",
    [
        {"message": "Hello"},
        {"message": "Hello", "user_id": "ann"},
        {"type": "auth"},
        {"type": "auth", "token": ""},
        {"type": "auth", "token": 7},
        {"type": "auth", "token": "a" * 9000},
        {"type": "auth", "api_key": "bad"},
        {"type": "auth", "user_id": "ann"},
    ],
)
async def test_without_credentials_it_closes_with_4401(by_secret: Agent, frame: dict[str, Any]) -> None:
    async with socket_of(by_secret) as socket:
        await socket.send(frame)
        assert await socket.closed() == 4401


async def test_a_token_in_the_address_is_none(by_secret: Agent) -> None:
    path = f"/ws/agent/of-ann?token={token_of('ann')}&access_token={token_of('ann')}&user_id=ann"
    async with socket_of(by_secret, path=path) as socket:
        await socket.say("Hello")
        assert await socket.closed() == 4401


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_bad_tokens_close_with_4401_wherever_they_stand(by_secret: Agent, name: str) -> None:
    token = BAD_TOKENS[name]
    if len(token) > 8192:
        for how in ({"Authorization": f"Bearer {token}"}, {"protocols": ["bearer", token]}):
            with pytest.raises(InvalidStatus) as refused:
                async with socket_of(by_secret, **how):
                    pass
            assert refused.value.response.status_code == 431
        return
    async with socket_of(by_secret, Authorization=f"Bearer {token}") as socket:
        assert await socket.closed() == 4401
    async with socket_of(by_secret, protocols=["bearer", token]) as socket:
        assert await socket.closed() == 4401
    async with socket_of(by_secret) as socket:
        await socket.send({"type": "auth", "token": token})
        assert await socket.closed() == 4401


async def test_another_users_session_is_unknown_whatever_a_frame_claims(by_secret: Agent) -> None:
    async with socket_of(by_secret, "of-kim", protocols=["bearer", token_of("ann")]) as socket:
        assert await socket.closed() == 4004
    async with socket_of(by_secret, "of-kim") as socket:
        await socket.send({"type": "auth", "token": token_of("ann")})
        assert await socket.closed() == 4004
    async with socket_of(
        by_secret, path="/ws/agent/of-kim?user_id=kim", protocols=["bearer", token_of("ann")]
    ) as socket:
        assert await socket.closed() == 4004
    async with socket_of(by_secret, protocols=["bearer", token_of("ann")]) as socket:
        # What a frame claims is not heard.
        assert (await socket.ask("Hello", user_id="kim", session_id="of-kim")).last["session_id"] == "of-ann"


async def test_credentials_are_renewed_by_the_same_user_only(by_secret: Agent) -> None:
    async with socket_of(by_secret, protocols=["bearer", token_of("ann")]) as socket:
        await socket.send({"type": "auth", "token": token_of("ann")})
        assert (await socket.next())["type"] == "authenticated"
        await says_hello(socket)
        await socket.send({"type": "auth", "token": token_of("kim")})
        assert await socket.closed() == 4401


async def test_a_token_that_runs_out_closes_an_open_socket(by_secret: Agent) -> None:
    # Clocks may differ by 30 s, so this one holds for a second still.
    token = token_of("ann", exp=time.time() - 29)
    deadline = time.monotonic() + 10
    async with socket_of(by_secret, protocols=["bearer", token]) as socket:
        while socket.connection.close_code is None and time.monotonic() < deadline:
            try:
                await socket.ask("Hello")
            except ConnectionClosed:
                break
        assert await socket.closed() == 4401


async def test_a_key_that_cannot_be_checked_now_is_tried_again(by_secret: Agent) -> None:
    async with socket_of(by_secret, x_api_key="broken") as socket:
        assert await socket.closed() == 1013
    assert "broken" in Platform.asked
    assert "good-kim" not in by_secret.logs()
