"""The cache before a store never gives a history that is not the store's: over every store, with faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.redis.breaker import Breaker
from shared.redis.cache import RedisCache
from shared.redis.client import RedisClient
from shared.sealing import Keyring
from shared.sessions.cache import CachedStore
from shared.sessions.history_form import newest_turns
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, NewTurn, TakenTurn
from shared.shared_cache import SharedCache
from shared.turn import ResumedStep, Turn
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    FAILED,
    LEASE_SECONDS,
    MODEL,
    ODD,
    TOOL,
    SetClock,
    held,
    new_turn,
)
from tests.servers.valkey import ValkeyServer

KEYS = Keyring((b"k" * 32,))


class Instance:
    """One process: the cached store, and how often the store was spared the reading."""

    def __init__(self, store: Store, shared: SharedCache | None) -> None:
        self.spared = 0
        self._store = store
        self.store = CachedStore(self, shared)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def begin_turn(self, *, new: NewTurn) -> BegunTurn:
        begun = await self._store.begin_turn(new=new)
        self.spared += begun.history is None
        return begun


@pytest.fixture
async def shared(valkey: ValkeyServer) -> AsyncIterator[RedisCache]:
    """The cache that instances share."""
    client = await RedisClient.open(valkey.url, keyring=KEYS, breaker=Breaker(open_seconds=0.1))
    yield RedisCache(client)
    await client.close()


async def the_truth(store: Store, begun: BegunTurn, messages: int = 100) -> tuple[Turn, ...]:
    """The ended turns before it, as the store lists them."""
    page = await store.list_turns(key=begun.turn.key, limit=200, cursor=None)
    through = begun.summary.through if begun.summary else 0
    turns = tuple(turn for turn in reversed(page.items) if through < turn.number < begun.turn.number)
    return newest_turns(turns, messages)


async def converse(store: Any, key: SessionKey, clock: SetClock, **changes: Any) -> BegunTurn:
    """A whole turn, its history compared with the truth as it begins."""
    clock.pass_time(1)
    begun: BegunTurn = await store.begin_turn(new=new_turn(key, clock.now, **changes))
    assert begun.history == await the_truth(store, begun, changes.get("history_messages", 100))
    lease = held(begun)
    for number, step in enumerate((MODEL, TOOL), start=1):
        await store.append_step(
            lease=lease, number=number, step=step, now=clock.now, lease_seconds=LEASE_SECONDS
        )
    clock.pass_time(1)
    await store.finish_turn(lease=lease, number=3, steps=(DONE, COMPLETED), now=clock.now)
    if isinstance(store, CachedStore):
        await kept(store)
    return begun


async def kept(store: CachedStore) -> None:
    """Returns when what it keeps is in the shared cache, or is lost."""
    async with asyncio.timeout(5):
        while store._sharing:
            await asyncio.sleep(0)


async def test_the_history_is_read_once(store: Store, clock: SetClock, key: SessionKey) -> None:
    here = Instance(store, None)
    for _ in range(4):
        await converse(here.store, key, clock)
    assert here.spared == 3


async def test_another_instance_has_it_from_redis(
    store: Store, clock: SetClock, key: SessionKey, shared: RedisCache
) -> None:
    here, there = Instance(store, shared), Instance(store, shared)
    await converse(here.store, key, clock)
    await converse(there.store, key, clock)
    assert there.spared == 1


async def test_a_turn_written_past_the_cache_is_seen(
    store: Store, clock: SetClock, key: SessionKey, shared: RedisCache
) -> None:
    here, there = Instance(store, shared), Instance(store, shared)
    for _ in range(2):
        await converse(here.store, key, clock)
        await converse(store, key, clock)
        await converse(here.store, key, clock)
        await converse(store, key, clock)
        await converse(there.store, key, clock)
    assert here.spared + there.spared == 0


async def test_a_title_or_context_written_in_between_only_costs_a_reading(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    here = Instance(store, None)
    await converse(here.store, key, clock)
    await store.patch_context(key=key, patch={"x": ODD}, now=clock.now)
    await converse(here.store, key, clock)
    begun = await here.store.begin_turn(new=new_turn(key, clock.now))
    await store.set_title(key=key, title="other", now=clock.now)
    await here.store.finish_turn(lease=held(begun), number=1, steps=(DONE, COMPLETED), now=clock.now)
    await converse(here.store, key, clock)
    assert here.spared == 1


async def test_a_turn_that_was_rolled_back_is_not_in_the_history(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    here, there = Instance(store, None), Instance(store, None)
    await converse(here.store, key, clock)
    await here.store.begin_turn(new=new_turn(key, clock.now))
    begun = await there.store.begin_turn(new=new_turn(key, clock.now, if_busy="rollback"))
    await there.store.finish_turn(lease=held(begun), number=1, steps=(DONE, COMPLETED), now=clock.now)
    await converse(here.store, key, clock)
    await converse(there.store, key, clock)


async def test_a_turn_that_was_interrupted_is_in_the_history_as_it_is(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    here, there = Instance(store, None), Instance(store, None)
    await converse(here.store, key, clock)
    lost = await here.store.begin_turn(new=new_turn(key, clock.now))
    await converse(there.store, key, clock, if_busy="interrupt")
    with pytest.raises(SessionConflictError):
        await here.store.finish_turn(lease=held(lost), number=1, steps=(DONE, COMPLETED), now=clock.now)
    await converse(here.store, key, clock)
    await converse(here.store, key, clock)
    assert here.spared >= 1


async def test_a_turn_that_was_resumed_elsewhere_is_seen_whole(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    here, there = Instance(store, None), Instance(store, None)
    await converse(here.store, key, clock)
    failed = await here.store.begin_turn(new=new_turn(key, clock.now))
    await here.store.finish_turn(lease=held(failed), number=1, steps=(FAILED,), now=clock.now)
    taken = TakenTurn(
        user_id=key.user_id,
        turn_id=failed.turn.turn_id,
        step=ResumedStep(),
        now=clock.now,
        lease_seconds=LEASE_SECONDS,
        history_messages=100,
    )
    resumed = await there.store.take_turn(taken=taken)
    number = len(resumed.turn.steps)
    await there.store.finish_turn(lease=held(resumed), number=number, steps=(DONE, COMPLETED), now=clock.now)
    await converse(here.store, key, clock)
    assert here.spared == 1
    await converse(there.store, key, clock)


async def test_a_step_written_twice_is_counted_once(store: Store, clock: SetClock, key: SessionKey) -> None:
    here = Instance(store, None)
    begun = await here.store.begin_turn(new=new_turn(key, clock.now))
    for _ in range(2):
        await here.store.append_step(
            lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=LEASE_SECONDS
        )
    await here.store.finish_turn(lease=held(begun), number=2, steps=(DONE, COMPLETED), now=clock.now)
    await converse(store, key, clock)
    await converse(here.store, key, clock)


async def test_the_window_is_the_stores(store: Store, clock: SetClock, key: SessionKey) -> None:
    here = Instance(store, None)
    for _ in range(5):
        await converse(here.store, key, clock, history_messages=7)
    assert here.spared == 4
    await converse(here.store, key, clock, history_messages=100)
    assert here.spared == 4


async def test_two_users_with_one_session_id(
    store: Store, clock: SetClock, key: SessionKey, shared: RedisCache
) -> None:
    other = replace(key, user_id="bob")
    for one in (key, other):
        here = Instance(store, shared)
        await converse(here.store, one, clock)
    there = Instance(store, shared)
    await converse(there.store, key, clock)
    await converse(there.store, other, clock)
    assert there.spared == 2


async def test_a_store_that_is_wrong_about_the_revision_is_not_believed(
    store: Store, clock: SetClock, key: SessionKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Instance(store, None)
    await converse(here.store, key, clock)
    await converse(store, key, clock)

    async def nothing_changed(*, new: NewTurn) -> BegunTurn:
        return replace(await store.begin_turn(new=new), history=None)

    monkeypatch.setattr(here, "begin_turn", nothing_changed)
    await converse(here.store, key, clock)


@pytest.mark.parametrize("fault", ["flush", "kill", "restart", "hang"])
async def test_redis_may_go_at_any_time(
    store: Store, clock: SetClock, key: SessionKey, valkey: ValkeyServer, shared: RedisCache, fault: str
) -> None:
    here, there = Instance(store, shared), Instance(store, shared)
    await converse(here.store, key, clock)
    if fault == "flush":
        valkey.flush()
    elif fault == "hang":
        valkey.hang()
    else:
        valkey.kill()
        if fault == "restart":
            valkey.start()
    async with asyncio.timeout(5):
        await converse(there.store, key, clock)
        await converse(here.store, key, clock)
        await converse(there.store, key, clock)
    if fault == "hang":
        # What was written before and during the silence is answered late.
        valkey.go_on()
    if fault == "kill":
        valkey.start()
    for instance in (here, there, Instance(store, shared)):
        await converse(instance.store, key, clock)


async def test_redis_holds_no_plain_text(
    store: Store, clock: SetClock, key: SessionKey, valkey: ValkeyServer, shared: RedisCache
) -> None:
    here = Instance(store, shared)
    await converse(here.store, key, clock)
    (name,) = [word for word in valkey.command("KEYS", "*").split(b"\r\n") if word.startswith(b"the0:")]
    held_there = valkey.command("GET", name)
    for word in (key.user_id.encode(), key.session_id.encode(), b"Build a bot", b"save_artifact"):
        assert word not in name + held_there


async def test_every_other_method_is_the_stores_own(store: Store) -> None:
    cached = CachedStore(store)
    own = {"begin_turn", "claim_waiting", "take_turn", "append_step", "finish_turn", "erase_session", "close"}
    names = [name for name in dir(Store) if not name.startswith("_")]
    assert own < set(names)
    for name in set(names) - own:
        assert getattr(cached, name) == getattr(store, name)
