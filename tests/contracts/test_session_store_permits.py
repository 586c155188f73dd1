"""The contract of `UsageLedger.take_permit`, over every backend."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.errors import RateLimitedError
from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock

MINUTE = 60.0


async def take(
    store: Store, clock: SetClock, limit: int, *, user_id: str = "alice", kind: str = "turns"
) -> None:
    await store.take_permit(user_id=user_id, kind=kind, limit=limit, window_seconds=MINUTE, now=clock.now)


async def test_so_many_in_a_window_and_the_next_window_begins_anew(store: Store, clock: SetClock) -> None:
    clock.now = datetime(2026, 3, 1, 12, 0, 45, tzinfo=UTC)
    for _ in range(3):
        await take(store, clock, 3)
    with pytest.raises(RateLimitedError) as refused:
        await take(store, clock, 3)
    assert refused.value.retry_after == pytest.approx(15.0)
    clock.pass_time(14.75)
    with pytest.raises(RateLimitedError) as refused:
        await take(store, clock, 3)
    assert refused.value.retry_after == pytest.approx(0.25)
    clock.pass_time(0.25)
    for _ in range(3):
        await take(store, clock, 3)
    with pytest.raises(RateLimitedError) as refused:
        await take(store, clock, 3)
    assert refused.value.retry_after == pytest.approx(60.0)


async def test_windows_begin_at_multiples_of_their_length(store: Store, clock: SetClock) -> None:
    clock.now = datetime.fromtimestamp(7 * 1_000_000 + 6.5, UTC)
    await store.take_permit(user_id="alice", kind="k", limit=1, window_seconds=7, now=clock.now)
    with pytest.raises(RateLimitedError) as refused:
        await store.take_permit(user_id="alice", kind="k", limit=1, window_seconds=7, now=clock.now)
    assert refused.value.retry_after == pytest.approx(0.5)
    clock.pass_time(0.5)
    await store.take_permit(user_id="alice", kind="k", limit=1, window_seconds=7, now=clock.now)


async def test_a_refused_use_is_not_counted_and_a_raised_limit_holds_at_once(
    store: Store, clock: SetClock
) -> None:
    await take(store, clock, 1)
    for _ in range(5):
        with pytest.raises(RateLimitedError):
            await take(store, clock, 1)
    await take(store, clock, 2)
    with pytest.raises(RateLimitedError):
        await take(store, clock, 2)


async def test_a_limit_of_none_at_all(store: Store, clock: SetClock) -> None:
    with pytest.raises(RateLimitedError):
        await take(store, clock, 0)


async def test_users_kinds_and_windows_are_counted_apart(store: Store, clock: SetClock) -> None:
    for user_id, kind in (("alice", "turns"), ("alice", "uploads"), ("bob", "turns"), (ODD, ODD)):
        await take(store, clock, 1, user_id=user_id, kind=kind)
        with pytest.raises(RateLimitedError):
            await take(store, clock, 1, user_id=user_id, kind=kind)
    await store.take_permit(user_id="alice", kind="turns", limit=1, window_seconds=3600, now=clock.now)
    clock.pass_time(MINUTE)
    await take(store, clock, 1)
    with pytest.raises(RateLimitedError):
        await store.take_permit(user_id="alice", kind="turns", limit=1, window_seconds=3600, now=clock.now)


async def test_of_many_at_once_exactly_the_limit_get_in(store: Store, clock: SetClock) -> None:
    outcomes = await asyncio.gather(*(take(store, clock, 4) for _ in range(12)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 4
    assert sum(isinstance(outcome, RateLimitedError) for outcome in outcomes) == 8
