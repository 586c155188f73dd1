"""The contract of `NamedLeases`, over every backend."""

from __future__ import annotations

import asyncio

from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock

LEASE = 30.0


async def take(store: Store, clock: SetClock, holder: str, name: str = "relay") -> bool:
    return await store.take_named_lease(name=name, holder=holder, now=clock.now, seconds=LEASE)


async def test_one_holder_at_a_time_who_may_renew(store: Store, clock: SetClock) -> None:
    assert await take(store, clock, "one")
    assert not await take(store, clock, "two")
    clock.pass_time(LEASE - 1)
    assert await take(store, clock, "one")
    clock.pass_time(LEASE - 0.001)
    assert not await take(store, clock, "two")
    clock.pass_time(0.001)
    assert await take(store, clock, "two")
    assert not await take(store, clock, "one")


async def test_a_holder_comes_back_when_nobody_took_it(store: Store, clock: SetClock) -> None:
    assert await take(store, clock, "one")
    clock.pass_time(10 * LEASE)
    assert await take(store, clock, "one")
    assert not await take(store, clock, "two")


async def test_only_its_holder_drops_it(store: Store, clock: SetClock) -> None:
    await store.drop_named_lease(name="relay", holder="one")
    assert await take(store, clock, "one")
    await store.drop_named_lease(name="relay", holder="two")
    assert not await take(store, clock, "two")
    for _ in range(2):
        await store.drop_named_lease(name="relay", holder="one")
    assert await take(store, clock, "two")
    await store.drop_named_lease(name="relay", holder="one")
    assert not await take(store, clock, "one")


async def test_names_are_apart(store: Store, clock: SetClock) -> None:
    assert await take(store, clock, "one")
    assert await take(store, clock, "two", name="tidy")
    assert await take(store, clock, ODD, name=ODD)
    assert not await take(store, clock, "one", name=ODD)
    await store.drop_named_lease(name=ODD, holder=ODD)
    assert await take(store, clock, "one", name=ODD)


async def test_of_many_at_once_one_gets_it(store: Store, clock: SetClock) -> None:
    for _ in range(2):
        taken = await asyncio.gather(*(take(store, clock, f"holder-{number}") for number in range(10)))
        assert sum(taken) == 1
        clock.pass_time(LEASE)
