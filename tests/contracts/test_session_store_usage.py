"""The contract of `UsageLedger`'s days, over every backend."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import RateLimitedError
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock

LEASE = 120.0
DAY_END = datetime(2026, 3, 2, tzinfo=UTC)
UNLIMITED = DailyLimits()


class Ledger:
    """One user's view of it."""

    def __init__(self, store: Store, clock: SetClock, limits: DailyLimits, user_id: str = "alice") -> None:
        self.store, self.clock, self.limits, self.user_id = store, clock, limits, user_id

    async def reserve(self, reservation_id: str, tokens: int, micros: int = 0) -> None:
        await self.store.reserve_usage(
            user_id=self.user_id,
            reservation_id=reservation_id,
            charge=Charge(tokens=tokens, micros=micros),
            limits=self.limits,
            now=self.clock.now,
            lease_seconds=LEASE,
        )

    async def settle(self, reservation_id: str, tokens: int, micros: int = 0) -> None:
        await self.store.settle_usage(
            user_id=self.user_id,
            reservation_id=reservation_id,
            charge=Charge(tokens=tokens, micros=micros),
            now=self.clock.now,
        )

    async def today(self) -> tuple[int, int]:
        used = await self.store.usage_today(user_id=self.user_id, now=self.clock.now)
        return used.tokens, used.micros


async def test_a_reservation_counts_until_it_is_settled_by_what_was_used(
    store: Store, clock: SetClock
) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=1000, micros=500))
    assert await alice.today() == (0, 0)
    await alice.reserve("r-1", 300, 200)
    assert await alice.today() == (300, 200)
    await alice.settle("r-1", 120, 80)
    assert await alice.today() == (120, 80)
    await alice.reserve("r-2", 1, 1)
    await alice.settle("r-2", 2000, 3)
    assert await alice.today() == (2120, 83)


@pytest.mark.parametrize(
    ("limits", "tokens", "micros"),
    [(DailyLimits(tokens=100), 60, 10**12), (DailyLimits(micros=100), 10**12, 60)],
)
async def test_what_would_pass_a_limit_is_refused_and_not_counted(
    store: Store, clock: SetClock, limits: DailyLimits, tokens: int, micros: int
) -> None:
    alice = Ledger(store, clock, limits)
    await alice.reserve("r-1", tokens, micros)
    with pytest.raises(RateLimitedError) as refused:
        await alice.reserve("r-2", tokens, micros)
    assert refused.value.retry_after == pytest.approx((DAY_END - clock.now).total_seconds())
    assert await alice.today() == (tokens, micros)
    # Not reserved: the same again fits when there is room.
    await alice.settle("r-2", 1, 1)
    await alice.settle("r-1", 0, 0)
    await alice.reserve("r-2", tokens, micros)
    assert await alice.today() == (tokens, micros)


async def test_the_limit_itself_may_be_used_up(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100, micros=100))
    with pytest.raises(RateLimitedError):
        await alice.reserve("r-0", 101, 0)
    with pytest.raises(RateLimitedError):
        await alice.reserve("r-0", 0, 101)
    await alice.reserve("r-1", 40, 100)
    await alice.reserve("r-2", 60, 0)
    with pytest.raises(RateLimitedError):
        await alice.reserve("r-3", 1, 0)
    assert await alice.today() == (100, 100)


async def test_a_limit_of_nothing_refuses_and_no_limit_takes_all(store: Store, clock: SetClock) -> None:
    with pytest.raises(RateLimitedError):
        await Ledger(store, clock, DailyLimits(tokens=0)).reserve("r-1", 1)
    alice = Ledger(store, clock, UNLIMITED)
    await alice.reserve("r-2", 10**15, 10**15)
    await alice.reserve("r-3", 10**15, 10**15)
    assert await alice.today() == (2 * 10**15, 2 * 10**15)
    with pytest.raises(RateLimitedError):
        await Ledger(store, clock, DailyLimits(tokens=10**15)).reserve("r-4", 0)


async def test_reserving_and_settling_again_changes_nothing(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100))
    for _ in range(3):
        await alice.reserve("r-1", 60)
    assert await alice.today() == (60, 0)
    await alice.settle("r-1", 10)
    await alice.settle("r-1", 10)
    await alice.settle("r-1", 99)
    await alice.reserve("r-1", 60)
    assert await alice.today() == (10, 0)


async def test_settling_what_was_not_reserved_changes_nothing(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, UNLIMITED)
    await alice.settle("r-1", 10)
    assert await alice.today() == (0, 0)


async def test_a_reservation_that_was_never_settled_counts_in_full(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100))
    await alice.reserve("r-1", 60)
    clock.pass_time(LEASE + 1)
    assert await alice.today() == (60, 0)
    with pytest.raises(RateLimitedError):
        await alice.reserve("r-2", 60)
    await store.tidy(now=clock.now, limit=100)
    assert await alice.today() == (60, 0)
    # What was paid stays unknown: it is too late to say so.
    await alice.settle("r-1", 0)
    assert await alice.today() == (60, 0)


async def test_the_charge_goes_to_the_day_of_the_reservation(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100))
    clock.now = DAY_END - timedelta(seconds=1)
    yesterday = clock.now
    await alice.reserve("r-1", 90)
    with pytest.raises(RateLimitedError) as refused:
        await alice.reserve("r-2", 90)
    assert refused.value.retry_after == pytest.approx(1.0)
    clock.now = DAY_END
    assert await alice.today() == (0, 0)
    await alice.reserve("r-2", 90)
    await alice.settle("r-1", 5)
    assert await alice.today() == (90, 0)
    assert (await store.usage_today(user_id="alice", now=yesterday)).tokens == 5


async def test_users_do_not_share_a_budget_nor_reservations(store: Store, clock: SetClock) -> None:
    limits = DailyLimits(tokens=100)
    alice, bob, odd = (Ledger(store, clock, limits, user) for user in ("alice", "bob", ODD))
    for ledger in (alice, bob, odd):
        await ledger.reserve("r-1", 100)
    await bob.settle("r-1", 7)
    assert [await ledger.today() for ledger in (alice, bob, odd)] == [(100, 0), (7, 0), (100, 0)]


async def test_of_many_at_once_no_more_than_the_limit_get_in(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100))
    outcomes = await asyncio.gather(
        *(alice.reserve(f"r-{number}", 30) for number in range(12)), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 3
    assert sum(isinstance(outcome, RateLimitedError) for outcome in outcomes) == 9
    assert await alice.today() == (90, 0)


async def test_one_reservation_asked_for_at_once_counts_once(store: Store, clock: SetClock) -> None:
    alice = Ledger(store, clock, DailyLimits(tokens=100))
    await asyncio.gather(*(alice.reserve("r-1", 60) for _ in range(8)))
    assert await alice.today() == (60, 0)
    await asyncio.gather(*(alice.settle("r-1", 10) for _ in range(8)))
    assert await alice.today() == (10, 0)
