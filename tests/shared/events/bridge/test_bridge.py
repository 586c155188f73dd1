"""The bridge between a real NATS server and a receiver: what is handed on, when, and what comes again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from shared.errors import BrokerUnavailableError, PublishError
from shared.events.bridge import handling
from shared.events.bridge.broker.consumer import CONSUMER
from shared.events.bridge.broker.streams import OWN_STREAM
from tests.servers.nats import NatsServer
from tests.shared.events.bridge.sample import PLATFORM_SUBJECTS, RUN, Bench, bench_on


@pytest.fixture
async def bench(nats: NatsServer) -> AsyncIterator[Bench]:
    async with bench_on(nats) as made:
        yield made


async def test_everything_the_platform_publishes_arrives(bench: Bench) -> None:
    async with bench.nats.client() as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="THE0_EVENTS", subjects=PLATFORM_SUBJECTS)
        await jetstream.add_stream(name="THE0_BOT_LOGS", subjects=["the0.bot.logs.>"], storage="memory")
        await bench.bridge.drain(seconds=5)
        runs = ["bot.execution.completed", "bot.execution.failed", "backtest.completed"]
        for subject in (*PLATFORM_SUBJECTS, *runs):
            await client.publish(subject, orjson.dumps({"id": "b", "subject": subject}))
        await client.publish("the0.bot.logs.b", b"INFO fine")
        await client.publish("the0.bot.logs.b", b"ERROR order refused")
        await client.publish("ai.agent.events", b"{}")
        await client.flush()
    done = await bench.bridge.drain(seconds=10)
    types = [event["type"] for event in bench.receiver.events]
    assert sorted(types) == sorted([*PLATFORM_SUBJECTS, *runs, "the0.bot.log"])
    assert all(
        event["data"]["subject"] == event["type"] for event in bench.receiver.events if "id" in event["data"]
    )
    assert (done.received, done.forwarded, done.failed) == (11, 10, 0)
    assert await bench.bridge.look() == 0
    # A second drain finds nothing, and a repeat under its id is not stored.
    assert (await bench.bridge.drain(seconds=10)).received == 0


async def test_nothing_is_acknowledged_before_it_was_accepted(bench: Bench) -> None:
    await bench.bridge.drain(seconds=1)
    bench.receiver.status = 503
    await bench.publish(1, 2)
    done = await bench.bridge.drain(seconds=5)
    assert (done.received, done.forwarded, done.failed) == (2, 0, 2)
    assert await bench.bridge.look() == 2
    with pytest.raises(PublishError):
        await bench.bridge.check_receiver()
    bench.receiver.status = 200
    bench.bridge.begin()
    await bench.until_empty()
    assert sorted(bench.receiver.ids()) == ["e-1", "e-2"]
    assert bench.bridge.figures.redelivered >= 2
    await bench.bridge.check_receiver()


async def test_a_receiver_that_never_answers_is_given_up_and_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.bridge._forwarder, "_seconds", 0.3)
    await bench.begin()
    bench.receiver.hang = True
    await bench.publish(1)
    await bench.until(lambda: bench.bridge.figures.failed >= 1)
    bench.receiver.hang = False
    await bench.until_empty()
    assert set(bench.receiver.ids()) == {"e-1"}


async def test_while_forwarding_takes_long_nothing_comes_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.events.bridge.broker.nats.ACK_WAIT_SECONDS", 1.0)
    monkeypatch.setattr(handling, "WORKING_SECONDS", 0.2)
    forward = bench.bridge._forwarder.forward
    release = asyncio.Event()

    async def slowly(events: object) -> object:
        await release.wait()
        return await forward(events)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.bridge._forwarder, "forward", slowly)
    await bench.begin()
    await bench.publish(1)
    async with bench.nats.client() as client:
        waited = 0.0
        while waited < 2.5:
            await asyncio.sleep(0.1)
            waited += 0.1
        info = await client.jetstream().consumer_info(OWN_STREAM, CONSUMER)
    assert (info.num_ack_pending, info.num_redelivered) == (1, 0)
    release.set()
    await bench.until_empty()
    assert bench.receiver.ids() == ["e-1"]


@pytest.mark.parametrize("status", [500, 503])
async def test_one_that_always_fails_becomes_a_dead_letter_and_takes_no_other_with_it(
    bench: Bench, status: int
) -> None:
    bench.receiver.poison["e-3"] = status
    await bench.begin()
    await bench.publish(*range(8))
    await bench.until(lambda: len(set(bench.receiver.ids())) == 7)
    number = 100
    while bench.bridge.figures.dead_lettered == 0:
        # A receiver that takes others is not down.
        await bench.publish(number)
        await asyncio.sleep(0.1)
        number += 1
        assert number < 400, bench.bridge.figures
    await bench.until_empty()
    (letter,) = [event for event in bench.receiver.events if "deadletterreason" in event]
    assert (letter["id"], letter["type"]) == ("e-3", RUN)
    assert f"answered {status}" in letter["deadletterreason"]
    assert letter["data"] == {"bot_id": "b", "n": 3}
    assert {f"e-{n}" for n in range(8)} <= set(bench.receiver.ids())


async def test_while_the_receiver_is_down_nothing_becomes_a_dead_letter(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "LONGEST_PAUSE", 0.1)
    await bench.begin()
    bench.receiver.status = 503
    await bench.publish(*range(6))
    # Twice as many deliveries as a message that fails alone has.
    await bench.until(lambda: bench.bridge.figures.failed >= 6 * 12)
    bench.receiver.status = 200
    await bench.until_empty()
    assert set(bench.receiver.ids()) == {f"e-{n}" for n in range(6)}
    assert bench.bridge.figures.dead_lettered == 0


async def test_what_is_no_event_is_a_dead_letter_at_once(bench: Bench) -> None:
    await bench.bridge.drain(seconds=1)
    async with bench.nats.client() as client:
        await client.publish(RUN, b"\xff not json")
        await client.flush()
    await bench.publish(1)
    done = await bench.bridge.drain(seconds=5)
    assert (done.received, done.forwarded, done.dead_lettered, done.failed) == (2, 1, 1, 0)
    assert [event.get("deadletterreason") for event in bench.receiver.events] == [
        "the payload is not JSON",
        None,
    ]


async def test_a_request_that_is_too_large_is_split_and_an_event_that_is_refused_is_a_dead_letter(
    bench: Bench,
) -> None:
    await bench.bridge.drain(seconds=1)
    bench.receiver.most = 3
    bench.receiver.poison["e-4"] = 422
    await bench.publish(*range(10))
    done = await bench.bridge.drain(seconds=10)
    assert (done.forwarded, done.dead_lettered, done.failed) == (9, 1, 0)
    assert set(bench.receiver.ids()) == {f"e-{n}" for n in range(10)}
    (letter,) = [event for event in bench.receiver.events if "deadletterreason" in event]
    assert letter["id"] == "e-4"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"status": "applied"}', b'{"results": []}'])
async def test_an_answer_that_does_not_name_the_events_is_no_acceptance(bench: Bench, body: bytes) -> None:
    await bench.bridge.drain(seconds=1)
    bench.receiver.says = body
    await bench.publish(1)
    done = await bench.bridge.drain(seconds=5)
    assert (done.forwarded, done.failed) == (0, 1)


async def test_a_broker_that_is_away_at_the_start_is_waited_for(bench: Bench) -> None:
    bench.nats.kill()
    bench.bridge.begin()
    with pytest.raises(BrokerUnavailableError):
        await bench.bridge.look()
    with pytest.raises(BrokerUnavailableError) as error:
        await bench.bridge.check()
    assert "planted-secret-nats-token" not in error.value.message
    assert bench.bridge.figures.lag is None
    with pytest.raises(BrokerUnavailableError):
        await bench.bridge.drain(seconds=1)
    bench.nats.start()
    await bench.until(lambda: bench.bridge.figures.lag is not None)
    await bench.bridge.check()
    await bench.publish(1)
    await bench.until(lambda: bench.receiver.ids() == ["e-1"])


@pytest.mark.parametrize("how", ["kill", "hang"])
async def test_after_a_restart_of_the_broker_the_lag_falls_to_zero_by_itself(bench: Bench, how: str) -> None:
    await bench.begin()
    bench.receiver.status = 503
    await bench.publish(*range(20))
    await bench.until(lambda: bench.bridge.figures.failed >= 1)
    if how == "hang":
        bench.nats.hang()
        bench.receiver.status = 200
        await asyncio.sleep(0.5)
        bench.nats.go_on()
    else:
        bench.nats.kill()
        bench.receiver.status = 200
        bench.nats.start()
    await bench.until(lambda: set(bench.receiver.ids()) == {f"e-{n}" for n in range(20)}, 60)
    await bench.until(lambda: bench.bridge.figures.lag == 0, 60)


async def test_what_is_under_way_is_bounded_and_the_rest_waits_in_the_broker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.events.bridge.bridge.BATCH", 5)
    monkeypatch.setattr("shared.events.bridge.bridge.AT_ONCE", 2)
    await bench.begin()
    bench.receiver.hang = True
    await bench.publish(*range(60))
    await bench.until(lambda: len(bench.bridge._under_way) == 2)
    async with bench.nats.client() as client:
        info = await client.jetstream().consumer_info(OWN_STREAM, CONSUMER)
    assert info.num_ack_pending is not None
    assert info.num_ack_pending <= 10
    assert await bench.bridge.look() == 60
