"""Postgres connections that break at a commit: each kind of write has its one effect, and its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import StoreUnavailableError
from shared.keys import SessionKey
from shared.sessions.sql.store import SqlStore
from tests.contracts.session_values import SetClock, new_turn, run_turn, session_key
from tests.contracts.store_writes import CASES, Ground, seen
from tests.servers.proxy import CommitProxy, Cut, commit_proxy


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[CommitProxy]:
    """The way to a new database."""
    async with commit_proxy(postgres_url) as opened:
        yield opened


@pytest.fixture
async def store(proxy: CommitProxy, clock: SetClock) -> AsyncIterator[SqlStore]:
    """A store behind the proxy."""
    async with await SqlStore.open(proxy.url, clock=clock) as opened:
        yield opened


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("name", CASES)
async def test_a_write_cut_at_its_commit_is_done_once(
    proxy: CommitProxy, store: SqlStore, clock: SetClock, key: SessionKey, name: str, cut: Cut
) -> None:
    write = await CASES[name](Ground(store, clock, key))
    proxy.cut, proxy.times = cut, 2
    answer = await write(store)
    assert (proxy.cuts, proxy.times) == (2, 0)
    after = await seen(store, key)
    assert repr(await write(store)) == repr(answer)
    assert await seen(store, key) == after


async def test_one_that_is_always_cut_says_so(proxy: CommitProxy, store: SqlStore, clock: SetClock) -> None:
    proxy.cut, proxy.times = "before", 1000
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailableError):
            await store.begin_turn(new=new_turn(session_key(), clock.now))
    assert proxy.cuts > 1
    proxy.times = 0
    await run_turn(store, session_key(), clock.now)


async def test_many_turns_over_a_failing_way_are_each_done_once(
    proxy: CommitProxy, store: SqlStore, clock: SetClock
) -> None:
    keys = [session_key(session_id=f"s-{n}") for n in range(20)]
    proxy.cut, proxy.times = "after", 12
    await asyncio.gather(*(run_turn(store, key, clock.now) for key in keys))
    assert proxy.times == 0
    for key in keys:
        (turn,) = (await store.list_turns(key=key, limit=9, cursor=None)).items
        assert (turn.status, len(turn.steps), turn.number) == ("completed", 3, 1)
        assert (await store.load_session(key=key)).revision == 2
