"""Whom an event reaches, where users are told apart: the users who deployed its bot, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from shared.keys import SessionKey
from tests.functions.bot_posts import cloud_event, context_of, database_of, deploy, post
from tests.servers.agent import Agent, agent_server

SECRET = "planted-secret that tokens of users are signed with"
SERVICE = {"authorization": "ApiKey planted-secret-the-agent's-own"}


def token(user: str) -> dict[str, str]:
    soon = datetime.now(UTC) + timedelta(hours=1)
    return {"authorization": f"Bearer {jwt.encode({'sub': user, 'exp': soon}, SECRET, 'HS256')}"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that tells its users apart."""
    settings = {"AUTH_MODE": "jwt", "JWT_SECRET": SECRET, "THE0_API_KEY": "planted-secret-the-agent's-own"}
    with agent_server(tmp_path_factory.mktemp("guarded"), **settings) as agent:
        yield agent


@pytest.fixture(scope="module")
def service(guarded: Agent) -> Iterator[httpx.Client]:
    with guarded.client(**SERVICE) as client:
        yield client


@pytest.fixture
def alice(guarded: Agent, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with guarded.client(**token(f"alice-{request.node.name}")) as client:
        yield client


@pytest.fixture
def bob(guarded: Agent, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with guarded.client(**token(f"bob-{request.node.name}")) as client:
        yield client


@pytest.fixture
def keys(alice: httpx.Client, bob: httpx.Client, request: pytest.FixtureRequest) -> dict[str, SessionKey]:
    """A session of each, by the same id."""
    for client in (alice, bob):
        client.post("/chat/sessions", json={"session_id": "s"}).raise_for_status()
    return {
        name: SessionKey(user_id=f"{name}-{request.node.name}", session_id="s") for name in ("alice", "bob")
    }


def run(event_id: str, **data: Any) -> dict[str, Any]:
    return cloud_event("bot.execution.completed", data, event_id=event_id)


async def test_the_bots_deployment_names_the_session(
    guarded: Agent,
    service: httpx.Client,
    alice: httpx.Client,
    bob: httpx.Client,
    keys: dict[str, SessionKey],
) -> None:
    bot = keys["alice"].user_id
    await deploy(database_of(guarded), keys["alice"], bot)
    assert post(service, run(bot, bot_id=bot)) == {"status": "applied"}
    assert bot in context_of(alice, "s")["bots"]
    assert context_of(bob, "s") == {}


async def test_who_runs_a_bot_cannot_reach_another_by_what_its_events_say(
    guarded: Agent,
    service: httpx.Client,
    alice: httpx.Client,
    bob: httpx.Client,
    keys: dict[str, SessionKey],
) -> None:
    """Bob's bot names Alice, her session, her bot: at every place where events hold such names."""
    hers, his = keys["alice"].user_id, keys["bob"].user_id
    await deploy(database_of(guarded), keys["alice"], hers)
    await deploy(database_of(guarded), keys["bob"], his)
    tries: list[tuple[dict[str, Any], str]] = [
        ({"bot_id": his, "user_id": hers}, "other_user"),
        ({"bot_id": his, "user_id": hers, "session_id": "s"}, "other_user"),
        ({"botId": his, "userId": hers, "sessionId": "s"}, "other_user"),
        # His own session of that id.
        ({"bot_id": his, "session_id": "s"}, "applied"),
        ({"bot_id": his, "data": {"bot_id": hers, "user_id": hers, "session_id": "s"}}, "applied"),
        ({"bot_id": his, "metrics": {"bot_id": hers, "user_id": hers, "session_id": "s"}}, "applied"),
        # A bot of his that nobody here deployed says whose it is.
        ({"bot_id": "elsewhere", "user_id": hers, "session_id": "s"}, "unknown_bot"),
        ({"user_id": hers, "session_id": "s"}, "no_session_named"),
        ({"session_id": "s"}, "no_session_named"),
    ]
    for number, (data, status) in enumerate(tries):
        assert post(service, run(f"{his}-{number}", **data))["status"] == status, data
    for kind in ("the0.bot.created", "the0.bot.log", "bot.execution.failed"):
        answer = post(
            service,
            cloud_event(
                kind, {"bot_id": "elsewhere", "user_id": hers, "session_id": "s"}, event_id=his + kind
            ),
        )
        assert answer["status"] == "unknown_bot", kind
    # Anybody may make an instance of her custom bot: its id in a configuration names nobody.
    created = {"id": "his-instance", "config": {"type": "realtime/x", "customBotId": hers}}
    assert post(service, cloud_event("the0.bot.created", created, event_id=his))["status"] == "unknown_bot"
    assert context_of(alice, "s") == {}
    assert set(context_of(bob, "s")["bots"]) == {his}


async def test_a_bot_that_two_users_deployed_needs_the_user(
    guarded: Agent,
    service: httpx.Client,
    alice: httpx.Client,
    bob: httpx.Client,
    keys: dict[str, SessionKey],
) -> None:
    bot = keys["alice"].user_id
    for name in ("alice", "bob"):
        await deploy(database_of(guarded), keys[name], bot)
    assert post(service, run(f"{bot}-1", bot_id=bot))["status"] == "ambiguous_user"
    assert post(service, run(f"{bot}-2", bot_id=bot, user_id=keys["bob"].user_id))["status"] == "applied"
    assert context_of(alice, "s") == {}
    assert bot in context_of(bob, "s")["bots"]


def test_an_outcome_of_a_backtest_needs_no_bot_but_its_user(
    service: httpx.Client, alice: httpx.Client, bob: httpx.Client, keys: dict[str, SessionKey]
) -> None:
    user = keys["alice"].user_id
    outcome = {"session_id": "s", "period": "90d"}
    assert post(service, cloud_event("backtest.completed", outcome, event_id=f"{user}-1"))["status"] == (
        "no_user_named"
    )
    named = outcome | {"user_id": user}
    assert (
        post(service, cloud_event("backtest.completed", named, event_id=f"{user}-2"))["status"] == "applied"
    )
    assert context_of(alice, "s")["recent_backtest"]["period"] == "90d"
    assert context_of(bob, "s") == {}


async def test_an_event_that_is_quicker_than_our_record_is_read_again(
    guarded: Agent, service: httpx.Client, alice: httpx.Client, keys: dict[str, SessionKey]
) -> None:
    bot = keys["alice"].user_id
    created = cloud_event("the0.bot.created", {"id": bot, "config": {"type": "realtime/x"}}, event_id=bot)
    assert post(service, created)["status"] == "unknown_bot"
    await deploy(database_of(guarded), keys["alice"], bot)
    deadline = time.monotonic() + 30
    while "bots" not in context_of(alice, "s"):
        assert time.monotonic() < deadline, "the letter was not read again"
        time.sleep(0.1)
    assert context_of(alice, "s")["bots"][bot]["status"] == "running"
    assert bot not in {each["event_id"] for each in service.get("/events/dead-letters").json()}


def test_users_may_not_post_nor_see(alice: httpx.Client) -> None:
    assert alice.post("/events", json={}).status_code == 401
    assert alice.get("/events/dead-letters").status_code == 401
