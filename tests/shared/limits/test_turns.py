"""Turns a minute and a day's budget, asked before a turn begins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.errors import RateLimitedError
from shared.limits.turns import TurnLimits, rest_of_day
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Store
from tests.contracts.session_values import SetClock


async def never(_: str) -> bool:
    return False


def limits_on(store: Store, clock: SetClock, **changes: Any) -> TurnLimits:
    options: dict[str, Any] = {"turns_per_minute": None, "daily": None, "pays_self": never}
    return TurnLimits(permits=store, usage=store, clock=clock, **{**options, **changes})


async def spend(store: Store, clock: SetClock, charge: Charge) -> None:
    await store.reserve_usage(
        user_id="alice",
        reservation_id="r-1",
        charge=charge,
        limits=DailyLimits(),
        now=clock(),
        lease_seconds=60,
    )


async def test_turns_a_minute_are_counted_over_all_instances(
    store: Store, other_store: Store, clock: SetClock
) -> None:
    instances = [limits_on(each, clock, turns_per_minute=5) for each in (store, other_store)]
    outcomes = await asyncio.gather(
        *(instances[n % 2].admit("alice") for n in range(30)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(refused) == 25
    assert all(isinstance(e, RateLimitedError) and 0 < (e.retry_after or 0) <= 60 for e in refused)
    await instances[0].admit("bob")
    clock.pass_time(60)
    await instances[0].admit("alice")


async def test_a_repeat_of_a_turn_that_exists_is_not_refused(store: Store, clock: SetClock) -> None:
    limits = limits_on(store, clock, turns_per_minute=1)
    asked: list[bool] = []

    async def is_repeat(answer: bool) -> bool:
        asked.append(answer)
        return answer

    await limits.admit("alice", is_repeat=lambda: is_repeat(False))
    assert asked == []
    await limits.admit("alice", is_repeat=lambda: is_repeat(True))
    with pytest.raises(RateLimitedError):
        await limits.admit("alice", is_repeat=lambda: is_repeat(False))
    with pytest.raises(RateLimitedError):
        await limits.admit("alice")
    assert asked == [True, False]


@pytest.mark.parametrize("daily", [DailyLimits(tokens=100), DailyLimits(micros=7)])
async def test_a_used_up_budget_refuses_until_the_next_day(
    store: Store, clock: SetClock, daily: DailyLimits
) -> None:
    limits = limits_on(store, clock, daily=daily)
    await limits.admit("alice")
    await spend(store, clock, Charge(tokens=100, micros=7))
    with pytest.raises(RateLimitedError) as caught:
        await limits.admit("alice")
    assert caught.value.retry_after == rest_of_day(clock())
    await limits.admit("bob")
    clock.pass_time(rest_of_day(clock()))
    await limits.admit("alice")


async def test_who_pays_for_the_model_has_no_budget_but_a_rate(store: Store, clock: SetClock) -> None:
    async def pays_self(user_id: str) -> bool:
        return user_id == "alice"

    limits = limits_on(store, clock, daily=DailyLimits(tokens=1), pays_self=pays_self, turns_per_minute=2)
    await spend(store, clock, Charge(tokens=100))
    await limits.admit("alice")
    await limits.admit("alice")
    with pytest.raises(RateLimitedError):
        await limits.admit("alice")


async def test_without_limits_the_store_is_not_asked(clock: SetClock) -> None:
    class Untouchable:
        pass

    # Whatever is asked of the store fails.
    await limits_on(Untouchable(), clock).admit("alice")  # type: ignore[arg-type]


def test_the_rest_of_a_day(clock: SetClock) -> None:
    assert rest_of_day(clock.now.replace(hour=23, minute=59, second=59, microsecond=0)) == 1
    assert rest_of_day(clock.now.replace(hour=0, minute=0, second=0, microsecond=0)) == 86400
