"""Usage, permits, leases and tidying across instances, on real databases under real concurrency."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, insert, text

from shared.errors import RateLimitedError
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.sql.columns import to_micros
from shared.sessions.sql.runner import Runner, Work, open_runner
from shared.sessions.sql.schema import permits, usage_reservations
from shared.sessions.sql.store import SqlStore
from shared.sessions.sql.tidy import EXPIRED
from tests.contracts.session_values import SetClock

T = TypeVar("T")

INSTANCES = 4
LOOPS = 50
UNLIMITED = DailyLimits()


@pytest.fixture
async def instances(database_url: str, clock: SetClock) -> AsyncIterator[list[SqlStore]]:
    """Several stores on one database, each with connections of its own, as processes have them."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(await SqlStore.open(database_url, clock=clock))
            for _ in range(INSTANCES)
        ]


async def reserve(
    store: SqlStore, clock: SetClock, name: str, charge: Charge, limits: DailyLimits = UNLIMITED
) -> bool:
    try:
        await store.reserve_usage(
            user_id="alice",
            reservation_id=name,
            charge=charge,
            limits=limits,
            now=clock.now,
            lease_seconds=60,
        )
    except RateLimitedError:
        return False
    return True


async def test_50_loops_of_reserving_and_settling_never_pass_a_limit(
    instances: list[SqlStore], clock: SetClock
) -> None:
    limits = DailyLimits(tokens=3000, micros=1_000_000)
    chance = random.Random(3)
    settled = [Charge()]
    seen: list[Charge] = []

    async def loop(number: int) -> int:
        refused = 0
        for step in range(6):
            store, name = instances[(number + step) % INSTANCES], f"r-{number}-{step}"
            most = Charge(tokens=chance.randint(50, 100), micros=chance.randint(10_000, 20_000))
            if not await reserve(store, clock, name, most, limits):
                refused += 1
                continue
            used = Charge(
                tokens=chance.randint(0, most.tokens) // 4, micros=chance.randint(0, most.micros) // 4
            )
            seen.append(await store.usage_today(user_id="alice", now=clock.now))
            await store.settle_usage(user_id="alice", reservation_id=name, charge=used, now=clock.now)
            settled.append(used)
        return refused

    refused = sum(await asyncio.gather(*(loop(number) for number in range(LOOPS))))
    assert refused > 0
    assert len(settled) > LOOPS
    assert max(each.tokens for each in seen) <= 3000
    assert max(each.micros for each in seen) <= 1_000_000
    assert await instances[0].usage_today(user_id="alice", now=clock.now) == Charge(
        tokens=sum(each.tokens for each in settled), micros=sum(each.micros for each in settled)
    )


async def test_one_reservation_settled_by_many_instances_is_settled_once(
    instances: list[SqlStore], clock: SetClock
) -> None:
    reserved = await asyncio.gather(
        *(reserve(store, clock, "r-1", Charge(tokens=100)) for store in instances * 3)
    )
    assert all(reserved)
    assert (await instances[0].usage_today(user_id="alice", now=clock.now)).tokens == 100
    amounts = range(1, 3 * INSTANCES + 1)
    await asyncio.gather(
        *(
            store.settle_usage(
                user_id="alice", reservation_id="r-1", charge=Charge(tokens=amount), now=clock.now
            )
            for store, amount in zip(instances * 3, amounts, strict=True)
        )
    )
    assert (await instances[0].usage_today(user_id="alice", now=clock.now)).tokens in amounts


async def test_permits_and_leases_are_counted_across_instances(
    instances: list[SqlStore], clock: SetClock
) -> None:
    async def take(store: SqlStore) -> bool:
        try:
            await store.take_permit(user_id="alice", kind="turns", limit=7, window_seconds=60, now=clock.now)
        except RateLimitedError:
            return False
        return True

    for _ in range(2):
        assert sum(await asyncio.gather(*(take(store) for store in instances * 5))) == 7
        leases = (
            store.take_named_lease(name="relay", holder=str(number), now=clock.now, seconds=60)
            for number, store in enumerate(instances * 5)
        )
        assert sum(await asyncio.gather(*leases)) == 1
        clock.pass_time(60)


async def test_a_clock_that_lags_behind_does_not_open_a_second_window(
    instances: list[SqlStore], clock: SetClock
) -> None:
    late = clock.now - timedelta(seconds=60)
    for moment in (clock.now, late):
        await instances[0].take_permit(user_id="alice", kind="turns", limit=2, window_seconds=60, now=moment)
    for moment in (clock.now, late):
        with pytest.raises(RateLimitedError):
            await instances[1].take_permit(
                user_id="alice", kind="turns", limit=2, window_seconds=60, now=moment
            )


async def test_tidying_from_many_instances_beside_traffic_loses_and_doubles_nothing(
    instances: list[SqlStore], clock: SetClock
) -> None:
    for number in range(60):
        assert await reserve(instances[0], clock, f"old-{number}", Charge(tokens=1))
    clock.pass_time(60)

    async def traffic(number: int) -> None:
        store = instances[number % INSTANCES]
        assert await reserve(store, clock, f"new-{number}", Charge(tokens=10))
        await store.settle_usage(
            user_id="alice", reservation_id=f"new-{number}", charge=Charge(tokens=2), now=clock.now
        )

    work: list[Callable[[], Awaitable[Any]]] = [partial(traffic, number) for number in range(20)]
    work += [partial(store.tidy, now=clock.now, limit=10) for store in instances * 3]
    outcomes = await asyncio.gather(*(each() for each in work))
    removed = sum(outcome for outcome in outcomes if outcome)
    for _ in range(20):
        removed += await instances[0].tidy(now=clock.now, limit=10)
    assert removed == 60
    assert (await instances[0].usage_today(user_id="alice", now=clock.now)).tokens == 60 + 40


def _fill(conn: Connection, now: int) -> None:
    """Many rows of which few are over, so that reading all of them would be the worse plan."""
    rows = 3000
    conn.execute(
        insert(permits),
        [
            {"user_id": f"u{n}", "kind": "k", "length": 60, "ends_at": now + n * 1000, "used": 1}
            for n in range(-20, rows)
        ],
    )
    conn.execute(
        insert(usage_reservations),
        [
            {
                "user_id": f"u{n}",
                "reservation_id": "r",
                "day": 1,
                "tokens": 1,
                "micros": 1,
                "settled": True,
                "lease_until": now + n * 1000,
            }
            for n in range(-20, rows)
        ],
    )


def _plans(conn: Connection) -> dict[str, str]:
    explain = "EXPLAIN" if conn.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    plans = {}
    for expired in EXPIRED:
        # A table of a few rows is read whole by any planner: the question is whether it has another way.
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
            conn.execute(text("SET LOCAL enable_sort = off"))
        chosen = expired.oldest.params(since=5, most=9)
        statement = str(chosen.compile(conn, compile_kwargs={"literal_binds": True}))
        rows = conn.exec_driver_sql(f"{explain} {statement}").all()
        plans[expired.column.table.name] = "\n".join(str(row[-1]) for row in rows)
    return plans


async def test_what_is_over_is_found_by_index(database_url: str) -> None:
    runner = open_runner(database_url)
    try:
        plans = await runner.write(_plans)
    finally:
        await runner.close()
    # Named leases are as many as there are kinds of work: a handful.
    del plans["named_leases"]
    assert len(plans) == len(EXPIRED) - 1
    for table, plan in plans.items():
        assert "index" in plan.lower(), (table, plan)
        assert "seq scan" not in plan.lower(), (table, plan)
        assert "temp b-tree" not in plan.lower(), (table, plan)
        assert "sort" not in plan.lower(), (table, plan)


async def test_a_call_takes_the_oldest_and_no_more_than_its_limit(database_url: str, clock: SetClock) -> None:
    runner = open_runner(database_url)
    await runner.write(partial(_fill, now=to_micros(clock.now)))
    async with await SqlStore.open(database_url, clock=clock) as store:
        assert await store.tidy(now=clock.now, limit=15) == 15
        left = await runner.read(
            lambda conn: conn.execute(text("SELECT min(ends_at) FROM permits")).scalar_one()
        )
        assert left == to_micros(clock.now) - 5000
        assert await store.tidy(now=clock.now, limit=15) == 15
        assert await store.tidy(now=clock.now, limit=15) == 12
        assert await store.tidy(now=clock.now, limit=15) == 0
    await runner.close()


class _Repeating:
    """A runner whose every write is committed twice, as when the answer to the first commit was lost."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.read, self.clean_up, self.close = runner.read, runner.clean_up, runner.close

    async def write(self, work: Work[T]) -> T:
        await self._runner.write(work)
        return await self._runner.write(work)


async def test_a_write_whose_answer_was_lost_has_one_effect_and_the_same_answer(
    database_url: str, clock: SetClock
) -> None:
    async with SqlStore(_Repeating(open_runner(database_url)), clock=clock) as store:
        assert await reserve(store, clock, "r-1", Charge(tokens=60), DailyLimits(tokens=100))
        assert (await store.usage_today(user_id="alice", now=clock.now)).tokens == 60
        await store.settle_usage(
            user_id="alice", reservation_id="r-1", charge=Charge(tokens=10), now=clock.now
        )
        assert (await store.usage_today(user_id="alice", now=clock.now)).tokens == 10
        assert not await reserve(store, clock, "r-2", Charge(tokens=91), DailyLimits(tokens=100))
        assert await store.take_named_lease(name="relay", holder="one", now=clock.now, seconds=60)
        assert not await store.take_named_lease(name="relay", holder="two", now=clock.now, seconds=60)
        await store.drop_named_lease(name="relay", holder="one")
        assert await store.take_named_lease(name="relay", holder="two", now=clock.now, seconds=60)
        await store.save_user_secret(user_id="alice", name="model", value="v", now=clock.now)
        assert await store.load_user_secret(user_id="alice", name="model") == "v"
        await store.delete_user_secret(user_id="alice", name="model")
        assert await store.load_user_secret(user_id="alice", name="model") is None


async def test_a_permit_whose_answer_was_lost_errs_on_the_safe_side(
    database_url: str, clock: SetClock
) -> None:
    async with SqlStore(_Repeating(open_runner(database_url)), clock=clock) as store:
        take = partial(store.take_permit, user_id="alice", kind="turns", window_seconds=60, now=clock.now)
        await take(limit=2)
        with pytest.raises(RateLimitedError):
            await take(limit=2)
        # The second of its two uses is refused, and with it the caller.
        with pytest.raises(RateLimitedError):
            await take(limit=3)
