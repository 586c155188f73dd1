"""Streams come and go: the platform's, in any order of start, and the bridge's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from shared.events.bridge.broker.streams import OWN_STREAM
from tests.servers.nats import NatsServer
from tests.shared.events.bridge.sample import PLATFORM_SUBJECTS, RUN, Bench, bench_on


@pytest.fixture
async def bench(nats: NatsServer) -> AsyncIterator[Bench]:
    async with bench_on(nats) as made:
        await made.begin()
        yield made


async def own_subjects(client: Any) -> set[str]:
    info = await client.jetstream().stream_info(OWN_STREAM)
    return set(info.config.subjects)


async def test_the_platform_may_start_after_the_bridge(bench: Bench) -> None:
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="THE0_EVENTS", subjects=PLATFORM_SUBJECTS)
        await jetstream.add_stream(name="THE0_BOT_LOGS", subjects=["the0.bot.logs.>"], storage="memory")
        await jetstream.publish("the0.bot.created", b'{"id": "b"}')
        await jetstream.publish("the0.bot.logs.b", b"ERROR x")
    await bench.until(lambda: len(bench.receiver.events) == 2)


async def test_a_stream_that_is_deleted_and_made_again_is_followed_and_its_ids_are_new(bench: Bench) -> None:
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        for round_ in range(3):
            await jetstream.add_stream(name="THE0_EVENTS", subjects=PLATFORM_SUBJECTS)
            for number in range(5):
                await jetstream.publish("the0.bot.updated", orjson.dumps({"round": round_, "n": number}))
            await bench.until_count(5 * (round_ + 1))
            await jetstream.delete_stream("THE0_EVENTS")
    assert len(set(bench.receiver.ids())) == 15


async def test_another_stream_gets_a_subject_that_ours_holds_when_it_asks_again(bench: Bench) -> None:
    from nats.js.errors import BadRequestError

    bench.receiver.status = 503
    await bench.publish(1, 2)
    await bench.until(lambda: bench.bridge.figures.failed >= 1)
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        with pytest.raises(BadRequestError):
            await jetstream.add_stream(name="RUNS", subjects=["bot.execution.>"])
        async for _ in _tries():
            if not {"bot.execution.completed", "bot.execution.failed"} & await own_subjects(client):
                break
        await jetstream.add_stream(name="RUNS", subjects=["bot.execution.>"])
        assert await own_subjects(client) == {"backtest.completed"}
        await jetstream.publish(RUN, b'{"bot_id": "b"}', headers={"Nats-Msg-Id": "e-3"})
        bench.receiver.status = 200
        # What ours had taken until then is not lost.
        await bench.until(lambda: set(bench.receiver.ids()) == {"e-1", "e-2", "e-3"})
        await jetstream.delete_stream("RUNS")


async def test_what_nobody_takes_any_more_ours_takes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.events.bridge.broker.streams.YIELD_SECONDS", 0.0)
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        everything = {"bot.execution.completed", "bot.execution.failed", "backtest.completed"}
        assert await own_subjects(client) == everything
        info = await jetstream.stream_info(OWN_STREAM)
        await jetstream.update_stream(info.config.evolve(subjects=["ai.agent.in"]))
        async for _ in _tries():
            if await own_subjects(client) == everything:
                break
        await jetstream.delete_stream(OWN_STREAM)
        async for _ in _tries():
            if await _has_own(jetstream):
                break
    await bench.publish(1)
    await bench.until(lambda: bench.receiver.ids() == ["e-1"])


async def test_where_a_stream_takes_everything_ours_is_not_made(nats: NatsServer) -> None:
    async with nats.client() as client:
        await client.jetstream().add_stream(name="ALL", subjects=["bot.>", "backtest.>", "the0.>"])
        async with bench_on(nats) as bench:
            await client.publish("bot.other", b"{}")
            await bench.publish(1)
            done = await bench.bridge.drain(seconds=5)
            assert (done.received, bench.receiver.ids()) == (1, ["e-1"])
            assert not await _has_own(client.jetstream())


async def test_a_consumer_that_is_deleted_is_made_again(bench: Bench) -> None:
    await bench.publish(1)
    await bench.until(lambda: bench.receiver.ids() == ["e-1"])
    async with bench.nats.client() as client:
        await client.jetstream().delete_consumer(OWN_STREAM, "the0-agent")
    await bench.publish(2)
    # All that the stream holds comes again; it is the same events to the receiver.
    await bench.until(lambda: set(bench.receiver.ids()) == {"e-1", "e-2"})


async def test_logs_in_memory_are_followed_after_a_restart_of_the_broker(bench: Bench) -> None:
    logs = {"name": "THE0_BOT_LOGS", "subjects": ["the0.bot.logs.>"], "storage": "memory"}
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(**logs)
        for number in range(5):
            await jetstream.publish("the0.bot.logs.b", f"ERROR {number}".encode())
    await bench.until(lambda: len(bench.receiver.events) == 5)
    bench.nats.kill()
    bench.nats.start()
    async with bench.nats.client() as client:
        # A stream in memory is gone with its server; the platform makes it anew.
        await client.jetstream().add_stream(**logs)
        for number in range(3):
            await client.jetstream().publish("the0.bot.logs.b", f"ERROR {number}".encode())
    await bench.until(lambda: len(bench.receiver.events) == 8)
    assert len(set(bench.receiver.ids())) == 8


async def _has_own(jetstream: Any) -> bool:
    return any(info.config.name == OWN_STREAM for info in await jetstream.streams_info())


async def _tries(seconds: float = 30) -> AsyncIterator[None]:
    async with asyncio.timeout(seconds):
        while True:
            yield
            await asyncio.sleep(0.02)
