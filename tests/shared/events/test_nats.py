"""What is NATS' own of the publisher: its stream, its ids, its end and return."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import PublishError
from shared.events.nats import STREAM, NatsPublisher
from shared.events.nats_connection import NatsAccess
from tests.servers.nats import TOKEN, NatsServer, nats_server
from tests.shared.events.sample import cloud


@pytest.fixture
async def publisher(nats: NatsServer) -> AsyncIterator[NatsPublisher]:
    made = NatsPublisher(NatsAccess(servers=(nats.url,)))
    yield made
    await made.close()


async def test_a_stream_is_made_for_the_subject(nats: NatsServer, publisher: NatsPublisher) -> None:
    delivery = await publisher.publish((cloud(0), cloud(1)))
    assert (delivery.accepted, delivery.error) == (frozenset({"s-0", "s-1"}), None)
    kept = await nats.kept()
    assert [each.body for each in kept] == [
        {"type": "ai.turn.completed", "timestamp": stamp, "data": {"session_id": "s", "n": n}}
        for n, stamp in enumerate(("2026-11-22T19:30:00Z", "2026-11-22T19:30:01Z"))
    ]
    assert kept[0].headers == {
        "ce-id": "s-0",
        "ce-source": "urn:the0:agent",
        "ce-specversion": "1.0",
        "ce-subject": "s",
        "ce-time": "2026-11-22T19:30:00Z",
        "ce-type": "ai.turn.completed",
        "content-type": "application/json",
        "Nats-Msg-Id": "s-0",
    }


async def test_a_stream_that_takes_the_subject_is_left_as_it_is(
    nats: NatsServer, publisher: NatsPublisher
) -> None:
    async with nats.client() as client:
        await client.jetstream().add_stream(name="OTHERS", subjects=["ai.>"])
    assert (await publisher.publish((cloud(0),))).error is None
    assert len(await nats.kept("OTHERS")) == 1
    assert await nats.kept(STREAM) == []


async def test_a_repeat_is_stored_once_also_after_a_restart(
    nats: NatsServer, publisher: NatsPublisher
) -> None:
    await publisher.publish((cloud(0),))
    nats.kill()
    down = await publisher.publish((cloud(0), cloud(1)))
    assert down.accepted == frozenset()
    assert isinstance(down.error, PublishError)
    with pytest.raises(PublishError):
        await publisher.check()
    nats.start()
    again = await publisher.publish((cloud(0), cloud(1)))
    assert again.accepted == frozenset({"s-0", "s-1"})
    assert [each.headers["ce-id"] for each in await nats.kept()] == ["s-0", "s-1"]


async def test_a_server_that_hangs_is_not_waited_for_and_stores_a_repeat_once(
    nats: NatsServer, publisher: NatsPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.events.nats.ACK_SECONDS", 0.3)
    await publisher.publish((cloud(0),))
    nats.hang()
    async with asyncio.timeout(3):
        hung = await publisher.publish((cloud(1), cloud(2)))
    assert hung.accepted == frozenset()
    assert isinstance(hung.error, PublishError)
    # What was sent arrives after all, and its repeat.
    nats.go_on()
    assert (await publisher.publish((cloud(1), cloud(2)))).error is None
    assert [each.headers["ce-id"] for each in await nats.kept()] == ["s-0", "s-1", "s-2"]


async def test_a_stream_that_was_deleted_is_made_again(nats: NatsServer, publisher: NatsPublisher) -> None:
    await publisher.publish((cloud(0),))
    async with nats.client() as client:
        await client.jetstream().delete_stream(STREAM)
    failed = await publisher.publish((cloud(1), cloud(2)))
    assert failed.accepted == frozenset()
    assert failed.error is not None
    assert (await publisher.publish((cloud(1), cloud(2)))).error is None
    assert [each.headers["ce-id"] for each in await nats.kept()] == ["s-1", "s-2"]


async def test_without_jetstream_nothing_counts_as_published() -> None:
    with nats_server(jetstream=False) as server:
        publisher = NatsPublisher(NatsAccess(servers=(server.url,)))
        delivery = await publisher.publish((cloud(0),))
        assert delivery.accepted == frozenset()
        assert isinstance(delivery.error, PublishError)
        await publisher.close()


@pytest.mark.parametrize("token", ["", "wrong@"])
async def test_a_refusal_shows_no_credentials(nats: NatsServer, token: str) -> None:
    publisher = NatsPublisher(NatsAccess(servers=(nats.url.replace(f"{TOKEN}@", token),)))
    delivery = await publisher.publish((cloud(0),))
    assert delivery.error is not None
    assert "wrong" not in delivery.error.message
    await publisher.close()


async def test_of_several_servers_one_that_answers_is_enough(nats: NatsServer) -> None:
    publisher = NatsPublisher(NatsAccess(servers=("nats://127.0.0.1:1", nats.url)))
    assert (await publisher.publish((cloud(0),))).error is None
    await publisher.close()
