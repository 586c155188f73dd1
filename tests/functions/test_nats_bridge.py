"""The bridge as it is deployed: drained on demand, as a process that runs on, and killed amid its work."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from shared.errors import ConfigurationError
from shared.settings import read_settings
from tests.functions.bot_posts import context_of
from tests.functions.test_targets import started
from tests.servers.agent import Agent, agent_server, end_agent, start_agent
from tests.servers.event_receiver import ReceiverProcess
from tests.servers.nats import TOKEN, NatsServer, nats_server
from tests.servers.nats_access import tls_flags
from tests.servers.ports import free_port, wait_for
from tests.servers.pubsub import EVENTS_TOPIC, PROJECT, PubSubServer

RUN = "bot.execution.completed"
MODULE = "functions.events.nats_bridge"
PLATFORM_TOPIC = f"projects/{PROJECT}/topics/platform-events"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A receiver in a process of its own."""
    process = ReceiverProcess(tmp_path)
    process.start()
    yield process
    process.kill()


def run(nats: NatsServer, *messages: tuple[str, Any, str | None]) -> None:
    """Publishes plain messages: subject, body, `Nats-Msg-Id`."""

    async def publish() -> None:
        async with nats.client() as client:
            for subject, body, name in messages:
                content = body if isinstance(body, bytes) else orjson.dumps(body)
                await client.publish(subject, content, headers={"Nats-Msg-Id": name} if name else None)
            await client.flush()

    asyncio.run(publish())


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _has_more_than(receiver: ReceiverProcess, count: int) -> bool:
    return len(receiver.events()) > count


def lag_of(bridge: Agent) -> int | None:
    """What the bridge's health says of its lag."""
    with bridge.client() as client:
        lag: int | None = client.get("/health").json()["lag"]
        return lag


def metric(client: httpx.Client, name: str, path: str = "/metrics") -> float:
    """A figure of the bridge."""
    lines = client.get(path).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_the_function_starts_alone_and_drains_on_demand(
    nats: NatsServer, receiver: ReceiverProcess, tmp_path: Path
) -> None:
    settings = {"NATS_URL": nats.url, "EVENTS_URL": receiver.url}
    with started("nats_bridge", tmp_path, source="events/nats_bridge.py", **settings) as (process, url):
        wait_for(f"{url}/health/live", process)
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            assert client.post("/nats/pull", params={"seconds": 5}).json() == {
                "received": 0,
                "forwarded": 0,
                "failed": 0,
            }
            run(nats, (RUN, {"bot_id": "b"}, "e-1"), (RUN, b"not json", "e-2"))
            assert metric(client, "nats_lag") == 2
            assert client.post("/nats/pull", params={"seconds": 20}).json() == {
                "received": 2,
                "forwarded": 1,
                "failed": 0,
            }
            assert metric(client, "nats_lag") == 0
            assert metric(client, "nats_forwarded_total") == 1
            assert metric(client, "nats_dead_lettered_total") == 1
            assert metric(client, "nats_redeliveries_total") == 0
            assert client.post("/nats/pull", params={"seconds": 0}).status_code == 400
            health = client.get("/health")
            assert (health.status_code, health.json()["status"], health.json()["lag"]) == (200, "healthy", 0)
            # As through a proxy of this machine.
            for path in ("/nats/pull", "/nats/publish"):
                assert client.post(path, headers={"x-forwarded-for": "1.2.3.4"}).status_code == 401
            nats.kill()
            gone = client.post("/nats/pull", params={"seconds": 1})
            assert (gone.status_code, gone.json()["code"]) == (503, "broker_unavailable")
            assert TOKEN not in gone.text
    assert [event["id"] for event in receiver.events()] == ["e-1", "e-2"]
    # What alerts of the cloud read.
    told = [
        orjson.loads(line) for line in (tmp_path / "log").read_bytes().splitlines() if b'"/nats/pull"' in line
    ]
    assert [line["lag"] for line in told if "received" in line] == [0, 0]


def test_events_reach_a_sessions_context_through_the_gateway(nats: NatsServer, tmp_path: Path) -> None:
    with agent_server(tmp_path, NATS_URL=nats.url, PORT=str(free_port())) as agent, agent.client() as client:
        client.post("/chat/sessions", json={"session_id": "s"}).raise_for_status()
        client.post("/nats/pull", params={"seconds": 5}).raise_for_status()
        body = {"bot_id": "b", "session_id": "s", "metrics": {"pnl": 1.5}}
        run(nats, (RUN, {"type": RUN, "timestamp": "2026-11-22T19:30:00Z", "data": body}, None))
        assert client.post("/nats/pull").json() == {"received": 1, "forwarded": 1, "failed": 0}
        assert context_of(client, "s")["performance_metrics"] == {"pnl": 1.5}
        run(nats, (RUN, b"no json at all", "poison"))
        client.post("/nats/pull").raise_for_status()
        (letter,) = client.get("/events/dead-letters").json()
        assert (letter["reason"], letter["event_id"]) == ("undeliverable", "poison")
        health = client.get("/nats/health").json()
        assert (health["status"], health["lag"]) == ("healthy", 0)
        assert metric(client, "nats_forwarded_total", "/nats/metrics") == 1
        assert "/nats/pull" in client.get("/openapi.json").json()["paths"]


def test_without_nats_the_gateways_bridge_says_so(agent: Agent) -> None:
    with agent.client() as client:
        for path in ("/nats/pull", "/nats/publish"):
            headers = {"ce-id": "1", "ce-source": "s", "ce-type": "ai.turn.completed"}
            answer = client.post(path, headers=headers, json={})
            assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
        health = client.get("/nats/health").json()
        assert (health["checks"]["nats"], health["lag"]) == ("not_configured", None)


def test_a_process_waits_for_nats_over_tls_and_its_log_shows_no_secret(
    receiver: ReceiverProcess, tmp_path: Path
) -> None:
    flags, authority = tls_flags(tmp_path)
    with nats_server(access=("--auth", TOKEN, *flags)) as nats:
        nats.kill()
        settings = {
            "NATS_URL": nats.url.replace("nats://", "tls://"),
            "NATS_CA_FILE": str(authority),
            "EVENTS_URL": receiver.url,
            "LOG_LEVEL": "DEBUG",
        }
        with agent_server(tmp_path, module=MODULE, **settings) as bridge, bridge.client() as client:
            health = client.get("/health")
            assert (health.status_code, health.json()["status"], health.json()["lag"]) == (
                200,
                "degraded",
                None,
            )
            nats.start()
            until(lambda: client.get("/health").json()["status"] == "healthy")
            # It talks TLS alone: a client of the test's needs the authority too.
            assert client.get("/health").json()["checks"]["nats"] == "healthy"
            assert client.post("/nats/pull", params={"seconds": 1}).status_code == 200
            assert TOKEN not in bridge.logs()
        assert bridge.process.returncode == 0


def test_the_events_function_knows_the_bridge_by_its_token_and_takes_nothing_of_another(
    nats: NatsServer, tmp_path: Path
) -> None:
    for name in ("function", "bridge", "stranger"):
        (tmp_path / name).mkdir()
    auth = {"AUTH_MODE": "jwt", "JWT_SECRET": "planted-secret that both of them hold by"}
    with agent_server(tmp_path / "function", **auth) as function:
        settings = {"NATS_URL": nats.url, "EVENTS_URL": f"{function.url}/events", **auth}
        strange = {**settings, "JWT_SECRET": "planted-secret which the function knows nothing of"}
        with agent_server(tmp_path / "stranger", module=MODULE, **strange) as bridge:
            until(lambda: lag_of(bridge) == 0)
            run(nats, (RUN, {"bot_id": "b"}, "e-1"))
            with bridge.client() as client:
                until(lambda: metric(client, "nats_failed_total") >= 1)
                assert metric(client, "nats_forwarded_total") == 0
                # Its own routes ask who calls, too.
                assert client.post("/nats/pull").status_code == 401
        with agent_server(tmp_path / "bridge", module=MODULE, **settings) as bridge:
            until(lambda: lag_of(bridge) == 0)
            with bridge.client() as client:
                assert metric(client, "nats_forwarded_total") == 1


def test_whatever_is_killed_amid_the_flow_every_event_arrives(
    nats: NatsServer, receiver: ReceiverProcess, tmp_path: Path
) -> None:
    settings = {"NATS_URL": nats.url, "EVENTS_URL": receiver.url}
    bridge = start_agent(tmp_path, module=MODULE, **settings)
    until(lambda: lag_of(bridge) == 0)
    wanted: set[str] = set()
    for round_, victim in enumerate(("bridge", "nats", "receiver")):
        names = [f"{victim}-{number}" for number in range(400)]
        wanted |= set(names)
        run(nats, *((RUN, {"bot_id": "b", "n": number}, name) for number, name in enumerate(names)))
        until(partial(_has_more_than, receiver, 400 * round_))
        if victim == "bridge":
            bridge.process.kill()
            bridge.process.wait(10)
            assert bridge.process.stdout is not None
            bridge.process.stdout.close()
            bridge = start_agent(tmp_path, module=MODULE, **settings)
        elif victim == "nats":
            nats.kill()
            nats.start()
        else:
            receiver.kill()
            receiver.start()
    until(lambda: {event["id"] for event in receiver.events()} == wanted)
    until(lambda: lag_of(bridge) == 0)
    end_agent(bridge)
    assert not [event for event in receiver.events() if "deadletterreason" in event]


def test_to_pubsub_and_from_there_to_the_events_function(
    nats: NatsServer, pubsub: PubSubServer, tmp_path: Path
) -> None:
    pubsub.topics.add(PLATFORM_TOPIC)
    settings = {"NATS_URL": nats.url, **pubsub.settings()}
    (tmp_path / "function").mkdir()
    with (
        agent_server(tmp_path, module=MODULE, **settings) as bridge,
        agent_server(tmp_path / "function") as function,
        function.client() as client,
    ):
        client.post("/chat/sessions", json={"session_id": "s"}).raise_for_status()
        pubsub.push(PLATFORM_TOPIC, f"{function.url}/events")
        until(lambda: lag_of(bridge) == 0)
        pubsub.stop()
        data = {"bot_id": "b", "session_id": "s", "metrics": {"pnl": 2}}
        run(nats, (RUN, {"type": RUN, "data": data}, "e-1"), (RUN, b"[]", "e-2"))
        with bridge.client() as asked:
            until(lambda: asked.get("/health").json()["checks"]["events"] == "publish_failed")
            pubsub.start()
            until(lambda: lag_of(bridge) == 0)
        until(lambda: context_of(client, "s").get("performance_metrics") == {"pnl": 2})
        until(lambda: len(client.get("/events/dead-letters").json()) == 1)
        (letter,) = client.get("/events/dead-letters").json()
        assert (letter["reason"], letter["event_id"]) == ("undeliverable", "e-2")
        found = pubsub.messages(PLATFORM_TOPIC)
        assert {message.attributes["ce-id"] for message in found} == {"e-1", "e-2"}
        assert {message.ordering_key for message in found} == {""}


def test_the_agents_events_go_from_pubsub_to_nats_once_an_id(
    nats: NatsServer, pubsub: PubSubServer, tmp_path: Path
) -> None:
    (tmp_path / "agent").mkdir()
    with (
        started("nats_bridge", tmp_path, source="events/nats_bridge.py", NATS_URL=nats.url) as (process, url),
        agent_server(tmp_path / "agent", **pubsub.settings()) as agent,
        agent.client() as client,
    ):
        wait_for(f"{url}/health/live", process)
        push = pubsub.push(EVENTS_TOPIC, f"{url}/nats/publish")
        nats.kill()
        client.post("/chat", json={"message": "Hello", "session_id": "s"}).raise_for_status()
        until(lambda: any(status == 503 for _, status in push.answers))
        nats.start()
        until(lambda: any(status == 200 for _, status in push.answers))
        for message in pubsub.messages():
            pubsub.redeliver(message)
        until(lambda: sum(status == 200 for _, status in push.answers) >= 2 * len(pubsub.messages()))
        kept = asyncio.run(nats.kept())
        assert [each.headers["Nats-Msg-Id"] for each in kept] == [
            message.attributes["ce-id"] for message in pubsub.messages()
        ]
        assert [each.body for each in kept] == [message.body for message in pubsub.messages()]
        # What is none of ours is not sent on, and not sent again.
        strange = {"data": base64.b64encode(b'{"type": "the0.bot.created"}').decode(), "messageId": "7"}
        for body, status in (({"message": strange}, "unknown_type"), ({"message": 1}, "malformed")):
            answer = httpx.post(f"{url}/nats/publish", json=body, trust_env=False, timeout=30)
            assert (answer.status_code, answer.json()["status"]) == (200, status)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"EVENTS_URL": "http://localhost:1/events"}, "NATS_URL"),
        ({"NATS_URL": "nats://localhost:1"}, "EVENTS_URL"),
    ],
)
def test_what_the_process_cannot_do_without_stops_its_start(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=named):
        start_agent(tmp_path, module=MODULE, **variables)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NATS_CA_FILE", "/nowhere.pem"),
        ("NATS_CREDENTIALS_FILE", "/nowhere"),
        ("NATS_MAX_DELIVERIES", "1"),
        ("PUBSUB_PLATFORM_TOPIC", "projects/p/topics/t"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_settings({name: value})
