"""A day's budget, before each model call: real stores, the Gemini wire server, every way a call can end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from shared.errors import (
    ModelRefusedError,
    ModelTimeoutError,
    ModelUnavailableError,
    RateLimitedError,
)
from shared.ids import new_id
from shared.limits.call import most_usage
from shared.limits.meter import Meter, MeteredModel
from shared.limits.prices import ModelPrice
from shared.messages import Usage
from shared.model.gemini import GeminiModel
from shared.model.retry import Retries
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Store
from tests.contracts.gemini_models import MODEL, Pauses, closable, gemini_model, read, request
from tests.contracts.session_values import SetClock
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, cut_after, hang, reply, status, text

USER = "alice"
# 1 unit buys 10,000 input or 1,000 output tokens.
PRICE = ModelPrice(input=Decimal(100), output=Decimal(1000))
MOST_OUTPUT = 256
ONE_UNIT = DailyLimits(micros=1_000_000)


@pytest.fixture
async def model(gemini: GeminiServer) -> AsyncIterator[GeminiModel]:
    opened = gemini_model(gemini.url)
    yield opened
    await opened.close()


def meter_on(store: Store, clock: SetClock, limits: DailyLimits = ONE_UNIT, **changes: Any) -> Meter:
    options: dict[str, Any] = {"prices": {MODEL: PRICE}, "max_output_tokens": MOST_OUTPUT}
    return Meter(ledger=store, limits=limits, clock=clock, new_id=new_id, **{**options, **changes})


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def metered(model: GeminiModel, store: Store, clock: SetClock, pauses: Pauses) -> MeteredModel:
    retries = Retries(sleep=pauses, chance=lambda: 1.0)
    return MeteredModel(model, user_id=USER, meter=meter_on(store, clock), retries=retries)


async def used(store: Store, clock: SetClock) -> Charge:
    return await store.usage_today(user_id=USER, now=clock())


def cost(input_tokens: int, output_tokens: int) -> Charge:
    return Charge(tokens=input_tokens + output_tokens, micros=100 * input_tokens + 1000 * output_tokens)


def most() -> Charge:
    usage = most_usage(request(), MOST_OUTPUT)
    return cost(usage.input_tokens, usage.output_tokens)


async def until_used(store: Store, clock: SetClock, charge: Charge) -> None:
    """A generator that was left behind is closed by the loop, in its own time."""
    async with asyncio.timeout(10):
        while await used(store, clock) != charge:
            await asyncio.sleep(0)


async def test_fifty_turns_at_once_on_two_instances_stay_within_one_unit(
    gemini: GeminiServer, model: GeminiModel, store: Store, other_store: Store, clock: SetClock
) -> None:
    bound = most_usage(request(), MOST_OUTPUT)
    asked = bound.input_tokens
    at_once = 1_000_000 // most().micros
    assert 1 <= at_once <= 10
    gate = Gate()
    # As expensive as a reply can be.
    gemini.always(reply(gate, "word", usage=(asked, MOST_OUTPUT - 100, 100)))
    meters = [meter_on(store, clock), meter_on(other_store, clock)]
    models = [MeteredModel(model, user_id=USER, meter=meters[n % 2]) for n in range(50)]
    tasks = [asyncio.create_task(read(each.stream(request()))) for each in models]

    def refused() -> int:
        return sum(task.done() for task in tasks)

    async with asyncio.timeout(60):
        while refused() < 50 - at_once:
            await asyncio.sleep(0.01)
    await gemini.until(lambda server: server.open_streams == at_once)
    assert await used(store, clock) == cost(asked * at_once, MOST_OUTPUT * at_once)
    gate.open()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(errors) == 50 - at_once
    assert all(isinstance(error, RateLimitedError) and error.retry_after for error in errors)
    assert len(gemini.requests) == at_once
    paid = at_once * cost(asked, MOST_OUTPUT).micros
    assert (await used(store, clock)).micros == paid <= 1_000_000


async def test_what_was_reserved_and_not_used_is_free_again(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.always(reply("word", usage=(10, 3, 2)))
    calls = 2 * 1_000_000 // most().micros
    for _ in range(calls):
        await read(metered.stream(request()))
    assert await used(store, clock) == cost(10 * calls, 5 * calls)
    assert gemini.requests[0].body["generationConfig"]["maxOutputTokens"] == MOST_OUTPUT


async def test_a_used_up_day_refuses_until_the_next(
    gemini: GeminiServer, model: GeminiModel, store: Store, clock: SetClock
) -> None:
    clock.now = clock.now.replace(hour=23, minute=59, second=0, microsecond=0)
    limits = DailyLimits(tokens=most().tokens)
    metered = MeteredModel(model, user_id=USER, meter=meter_on(store, clock, limits, prices=None))
    gemini.script(reply("one", usage=(10, 5, 0)), reply("two", usage=(10, 5, 0)))
    await read(metered.stream(request()))
    with pytest.raises(RateLimitedError) as caught:
        await read(metered.stream(request()))
    assert caught.value.retry_after == 60
    assert len(gemini.requests) == 1
    assert await used(store, clock) == Charge(tokens=15)
    clock.pass_time(60)
    await read(metered.stream(request()))
    assert await used(store, clock) == Charge(tokens=15)


async def test_a_refusal_beside_running_calls_says_soon(
    gemini: GeminiServer, model: GeminiModel, store: Store, clock: SetClock
) -> None:
    limits = DailyLimits(tokens=most().tokens)
    metered = MeteredModel(model, user_id=USER, meter=meter_on(store, clock, limits))
    gate = Gate()
    gemini.script(reply(gate, "one"))
    running = asyncio.create_task(read(metered.stream(request())))
    await gemini.until(lambda server: server.open_streams == 1)
    with pytest.raises(RateLimitedError) as caught:
        await read(metered.stream(request()))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= 60
    gate.open()
    await running


async def test_each_attempt_is_reserved_and_a_refused_one_costs_nothing(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock, pauses: Pauses
) -> None:
    seen: list[Charge] = []
    gemini.script(status(503), status(429, retry_delay="1.5s"), reply("word", usage=(10, 5, 0)))

    async def noting(seconds: float) -> None:
        seen.append(await used(store, clock))
        await pauses(seconds)

    metered._retries = Retries(sleep=noting, chance=lambda: 1.0)
    await read(metered.stream(request()))
    assert seen == [Charge(), Charge()]
    assert pauses.taken == [0.5, 2.0]
    assert await used(store, clock) == cost(10, 5)


async def test_attempts_end_where_the_models_own_would(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock, pauses: Pauses
) -> None:
    gemini.always(status(503))
    with pytest.raises(ModelUnavailableError):
        await read(metered.stream(request()))
    assert len(gemini.requests) == 4
    assert len(pauses.taken) == 3
    assert await used(store, clock) == Charge()


async def test_a_call_that_the_service_refuses_costs_nothing(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(status(400))
    with pytest.raises(ModelRefusedError):
        await read(metered.stream(request()))
    assert await used(store, clock) == Charge()


async def test_a_cut_stream_costs_what_the_service_told(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(cut_after(3))
    with pytest.raises(ModelUnavailableError):
        await read(metered.stream(request()))
    # The third chunk's own counts: 10 tokens asked, 2 said.
    assert await used(store, clock) == cost(10, 2)


async def test_a_call_cancelled_after_words_costs_what_was_told(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(hang("one ", "two "))
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in metered.stream(request()):
            heard.set()

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(heard.wait(), 10)
    await gemini.until(lambda server: server.open_streams == 1)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    told = await used(store, clock)
    assert told in (cost(10, 0), cost(10, 1))
    await gemini.until(lambda server: server.open_streams == 0)


async def test_a_call_given_up_while_the_model_thinks_costs_the_most(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(hang())
    waiting = asyncio.create_task(read(metered.stream(request())))
    await gemini.until(lambda server: server.open_streams == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await used(store, clock) == most()


async def test_a_call_past_its_deadline_costs_the_most(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(hang())
    await metered._model.warm()  # type: ignore[attr-defined]  # a GeminiModel
    with pytest.raises(ModelTimeoutError):
        await read(metered.stream(request(timeout=0.2)))
    assert await used(store, clock) == most()


async def test_closing_the_stream_settles(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(hang("one "))
    stream = closable(metered.stream(request()))
    await anext(stream)
    assert await used(store, clock) == most()
    await stream.aclose()
    assert await used(store, clock) == cost(10, 0)


async def test_a_reply_without_counts_costs_its_bytes(
    gemini: GeminiServer, metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    gemini.script(reply(text("12345"), text("678"), usage=(0, 0, 0)))
    await read(metered.stream(request()))
    asked = most_usage(request(), MOST_OUTPUT).input_tokens
    assert await used(store, clock) == cost(asked, len("12345678"))


async def test_a_model_without_a_price_is_not_asked_where_money_is_limited(
    metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    with pytest.raises(ModelRefusedError, match="No price is set for the model gemini-9-vast"):
        await read(metered.stream(request(model="gemini-9-vast")))
    assert await used(store, clock) == Charge()


async def test_a_reservation_cancelled_while_it_is_written_is_given_back(
    metered: MeteredModel, store: Store, clock: SetClock
) -> None:
    waiting = asyncio.create_task(read(metered.stream(request())))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await used(store, clock) == Charge()


async def test_the_words_of_a_model_pass_unchanged(gemini: GeminiServer, metered: MeteredModel) -> None:
    gemini.script(reply("one ", "two", usage=(7, 2, 1)))
    parts, done = await read(metered.stream(request()))
    assert "".join(part.text for part in parts if part.kind == "text") == "one two"
    assert done.usage == Usage(input_tokens=7, output_tokens=3)
    assert metered.name == MODEL
