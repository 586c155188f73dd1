"""The contract of `Store.reseal` and of sealed stores, over every backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from shared.errors import InternalError, InvalidRequestError
from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.port import Store
from shared.sessions.reseal import reseal_store
from tests.contracts.planted import KEY, found_marks, plant, read_all
from tests.contracts.session_values import SetClock

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))


@asynccontextmanager
async def opened(url: str, clock: SetClock, *keys: bytes) -> AsyncIterator[Store]:
    """The store as a process with these keys has it."""
    codec = Codec(Keyring(keys))
    store: Store
    if url.startswith("firestore"):
        from shared.sessions.firestore.store import FirestoreStore

        store = await FirestoreStore.open(url, codec=codec, clock=clock)
    else:
        from shared.sessions.sql.store import SqlStore

        store = await SqlStore.open(url, codec=codec, clock=clock)
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("before", [(OLD,), ()])
async def test_after_resealing_the_new_key_alone_reads_everything(
    store_url: str, clock: SetClock, before: tuple[bytes, ...]
) -> None:
    async with opened(store_url, clock, *before) as store:
        await plant(store, clock)
        all_of_it = await read_all(store)
    async with opened(store_url, clock, NEW, *before) as store:
        assert await read_all(store) == all_of_it
        done = await reseal_store(store, batch=3)
        assert done.at_end
        assert done.unreadable == 0
        assert done.written >= 20
        assert (await reseal_store(store)).written == 0
        assert await read_all(store) == all_of_it
    async with opened(store_url, clock, NEW) as store:
        assert await read_all(store) == all_of_it
        assert (await reseal_store(store)).written == 0


async def test_it_goes_on_from_any_place_and_from_no_other(store_url: str, clock: SetClock) -> None:
    async with opened(store_url, clock, OLD) as store:
        await plant(store, clock)
        all_of_it = await read_all(store)
    after: str | None = None
    for _ in range(200):
        # A new process each time, as if the last one had been killed.
        async with opened(store_url, clock, NEW, OLD) as store:
            after = (await store.reseal(after=after, limit=5)).after
        if after is None:
            break
    assert after is None
    async with opened(store_url, clock, NEW) as store:
        assert await read_all(store) == all_of_it
        for place in ("", "nowhere", "nowhere:!!"):
            with pytest.raises(InvalidRequestError):
                await store.reseal(after=place, limit=5)


@pytest.mark.parametrize("keys", [(OTHER,), ()])
async def test_with_the_wrong_key_or_none_each_read_is_a_clear_error_and_nothing_is_written(
    store_url: str, clock: SetClock, keys: tuple[bytes, ...]
) -> None:
    async with opened(store_url, clock, OLD) as store:
        marks = await plant(store, clock)
        all_of_it = await read_all(store)
    async with opened(store_url, clock, *keys) as store:
        reads: list[Callable[[], Awaitable[Any]]] = [
            partial(store.load_session, key=KEY),
            partial(store.list_sessions, user_id=KEY.user_id, limit=5, cursor=None),
            partial(store.list_turns, key=KEY, limit=5, cursor=None),
            partial(store.list_artifacts, session=KEY),
            partial(store.load_tool_call, key=KEY, call_id="c-9"),
            partial(store.unpublished_events, limit=5),
            partial(store.load_user_secret, user_id=KEY.user_id, name="model"),
        ]
        for read in reads:
            with pytest.raises(InternalError, match="ENCRYPTION_KEYS") as caught:
                await read()
            assert caught.value.code == "internal_error"
            assert found_marks(str(caught.value).encode(), marks) == set()
        done = await reseal_store(store)
        assert done.written == 0
        assert done.unreadable >= 20
    async with opened(store_url, clock, OLD) as store:
        assert await read_all(store) == all_of_it
