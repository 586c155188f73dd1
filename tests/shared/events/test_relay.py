"""The relay over a real store: once each, in order, nothing lost, whoever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.clock import utc_now
from shared.errors import PublishError, StoreUnavailableError
from shared.events.relay import LEASE, LEASE_SECONDS, EventRelay
from shared.sessions.port import Store
from shared.sessions.sql.store import SqlStore
from tests.shared.events.sample import Listener, relay_of, store_events, until


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    opened = await SqlStore.open(sqlite_url)
    yield opened
    await opened.close()


async def waiting(store: Store) -> int:
    return (await store.outbox_lag()).waiting


async def test_what_waits_goes_out_once_in_order(store: Store) -> None:
    listener = Listener()
    await store_events(store, "a", 0, 1, 2)
    relay = relay_of(store, listener)
    drained = await relay.drain(seconds=5)
    assert (drained.published, drained.waiting, drained.error) == (3, 0, None)
    assert listener.heard == ["a-0", "a-1", "a-2"]
    assert (await relay.drain(seconds=5)).published == 0
    assert len(listener.times) == 1


async def test_a_kick_publishes_in_a_moment_and_a_burst_goes_out_together(store: Store) -> None:
    listener = Listener()
    relay = relay_of(store, listener, idle_seconds=60)
    relay.begin()
    await store_events(store, "a", 0)
    for number in range(1, 9):
        await store_events(store, "a", number)
        relay.soon()
    await until(lambda: len(listener.heard) == 9)
    assert len(listener.times) < 9
    await relay.close()
    assert listener.closed


async def test_without_a_kick_it_looks_by_itself(store: Store) -> None:
    listener = Listener()
    relay = relay_of(store, listener)
    relay.begin()
    await store_events(store, "a", 0)
    await until(lambda: listener.heard == ["a-0"])
    await relay.close()


async def test_types_that_nobody_takes_are_marked(store: Store) -> None:
    await store_events(store, "a", 0, event_type="nobody.cares")
    drained = await relay_of(store, Listener()).drain(seconds=5)
    assert (drained.published, drained.waiting) == (1, 0)


async def test_an_event_that_is_refused_holds_back_its_session_only(store: Store) -> None:
    listener = Listener(refuses={"a-1"})
    await store_events(store, "a", 0, 1, 2)
    await store_events(store, "b", 0, 1)
    relay = relay_of(store, listener)
    drained = await relay.drain(seconds=5)
    assert (drained.published, drained.waiting) == (3, 2)
    assert isinstance(drained.error, PublishError)
    listener.refuses.clear()
    assert (await relay.drain(seconds=5)).waiting == 0
    assert [name for name in listener.heard if name.startswith("a")] == ["a-0", "a-1", "a-2"]
    assert len(listener.heard) == 5


async def test_while_one_destination_is_down_the_other_hears_each_event_once(store: Store) -> None:
    up, down = Listener(name="up"), Listener(name="down", down=True)
    await store_events(store, "a", 0, 1)
    relay = relay_of(store, up, down)
    for _ in range(3):
        assert (await relay.drain(seconds=5)).waiting == 2
    await store_events(store, "a", 2)
    down.down = False
    assert (await relay.drain(seconds=5)).waiting == 0
    assert up.heard == down.heard == ["a-0", "a-1", "a-2"]


async def test_a_destination_that_is_down_is_asked_ever_more_rarely_and_then_gets_all(store: Store) -> None:
    listener = Listener(down=True)
    await store_events(store, "a", 0)
    relay = relay_of(store, listener)
    relay.begin()
    await until(lambda: len(listener.times) == 4)
    gaps = [after - before for before, after in zip(listener.times, listener.times[1:], strict=False)]
    assert gaps[2] > gaps[0]
    assert (await relay.drain(seconds=1)).waiting == 1
    # A pause is not cut short by what is stored meanwhile: a broker that comes back is not overrun.
    asked = len(listener.times)
    relay.soon()
    await asyncio.sleep(0)
    assert len(listener.times) == asked
    listener.down = False
    await until(lambda: listener.heard == ["a-0"])
    # It is heard before it is marked as published.
    assert (await relay.drain(seconds=10)).waiting == 0
    assert listener.heard == ["a-0"]
    await relay.close()


async def test_two_processes_publish_each_event_once(store: Store, sqlite_url: str) -> None:
    other = await SqlStore.open(sqlite_url)
    listener = Listener()
    relays = [relay_of(store, listener), relay_of(other, listener), relay_of(other, listener)]
    for relay in relays:
        relay.begin()
    for session in "abcdef":
        await store_events(store, session, *range(20))
        for relay in relays:
            relay.soon()
    await until(lambda: len(listener.heard) >= 120)
    assert (await relays[0].drain(seconds=10)).waiting == 0
    for relay in relays:
        await relay.close()
    assert len(set(listener.heard)) == len(listener.heard) == 120
    for session in "abcdef":
        mine = [name for name in listener.heard if name.startswith(f"{session}-")]
        assert mine == [f"{session}-{n}" for n in range(20)]
    await other.close()


async def test_another_holder_of_the_lease_is_waited_for(store: Store) -> None:
    listener = Listener()
    await store_events(store, "a", 0)
    assert await store.take_named_lease(name=LEASE, holder="dead", now=utc_now(), seconds=0.4)
    drained = await relay_of(store, listener).drain(seconds=10)
    assert (drained.published, drained.waiting) == (1, 0)
    # It is held for the round alone.
    assert await store.take_named_lease(name=LEASE, holder="next", now=utc_now(), seconds=LEASE_SECONDS)
    await store_events(store, "a", 1)
    assert (await relay_of(store, listener).drain(seconds=0.1)).waiting == 1


async def test_what_was_sent_but_not_marked_is_not_sent_again_by_this_process(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener()
    await store_events(store, "a", 0)
    relay = relay_of(store, listener)

    async def fails(**_: object) -> None:
        raise StoreUnavailableError("down")

    with monkeypatch.context() as patched:
        patched.setattr(store, "mark_published", fails)
        with pytest.raises(StoreUnavailableError):
            await relay.drain(seconds=5)
    assert (await relay.drain(seconds=5)).published == 1
    assert listener.heard == ["a-0"]


async def test_what_a_dead_process_sent_but_did_not_mark_goes_out_again_under_its_id(
    store: Store, sqlite_url: str
) -> None:
    listener = Listener()
    await store_events(store, "a", 0, 1)
    dying = await SqlStore.open(sqlite_url)

    async def dies() -> None:
        # What is under way ends, and nothing after it: as a kill between publish and mark.
        await dying.close()

    listener.before = dies
    with pytest.raises(StoreUnavailableError):
        await relay_of(dying, listener).drain(seconds=5)
    listener.before = None
    assert await store.take_named_lease(
        name=LEASE, holder="heir", now=utc_now() + timedelta(seconds=LEASE_SECONDS), seconds=-LEASE_SECONDS
    )
    assert (await relay_of(store, listener).drain(seconds=5)).published == 2
    assert listener.heard == ["a-0", "a-1", "a-0", "a-1"]


async def test_a_store_that_is_down_at_the_start_may_come(store: Store) -> None:
    listener, asked = Listener(), 0

    async def opened() -> Store:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise StoreUnavailableError("down")
        return store

    relay = EventRelay(open_store=opened, publishers=(listener,), clock=utc_now, holder="h")
    await store_events(store, "a", 0)
    relay.begin()
    await until(lambda: listener.heard == ["a-0"])
    await relay.close()


async def test_the_lag_is_known_after_a_look(store: Store) -> None:
    listener = Listener(down=True)
    await store_events(store, "a", 0, 1)
    relay = relay_of(store, listener)
    assert relay.lag is None
    await relay.drain(seconds=5)
    assert relay.lag is not None
    assert relay.lag.waiting == 2
    assert relay.lag.oldest is not None
    with pytest.raises(PublishError):
        await relay.check("listener")
    listener.down = False
    await relay.check("listener")
    await relay.drain(seconds=5)
    assert (relay.lag.waiting, relay.lag.oldest) == (0, None)
