"""The contract of `EventOutbox`, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.keys import SessionKey
from shared.sessions.outbox_port import OutboxLag
from shared.sessions.port import Store
from shared.tracing.context import TraceContext
from shared.tracing.spans import Within
from tests.contracts.session_values import (
    COMPLETED,
    MODEL,
    TOOL,
    SetClock,
    artifact,
    event,
    held,
    session_key,
)
from tests.contracts.turn_steps import append, begin, finish


async def names(store: Store, limit: int = 99) -> list[str]:
    return [each.event.event_id for each in await store.unpublished_events(limit=limit)]


async def publish(store: Store, clock: SetClock, limit: int) -> list[str]:
    page = await store.unpublished_events(limit=limit)
    await store.mark_published(events=page, now=clock.now)
    return [each.event.event_id for each in page]


async def test_an_event_is_read_as_it_was_stored(store: Store, clock: SetClock, key: SessionKey) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    await store.add_events(key=key, events=(event("a"), event("b")), now=clock.now)
    first, second = await store.unpublished_events(limit=9)
    assert (first.key, first.event, first.created_at) == (key, event("a"), clock.now)
    assert first.event.data == event("a").data
    assert first.sequence < second.sequence


async def test_a_turns_events_wait_for_its_end(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock, events=(event("one"), event("two")))
    saved = replace(artifact(key, clock.now), turn_id=begun.turn.turn_id)
    await store.add_version(artifact=saved, max_files=9, events=(event("three"),))
    await store.add_events(key=key, events=(event("four"),), now=clock.now, turn_id=begun.turn.turn_id)
    await store.add_events(key=key, events=(event("user's"),), now=clock.now)
    uploaded = artifact(key, clock.now, "upload.md")
    await store.add_version(artifact=uploaded, max_files=9, events=(event("upload"),))
    assert await names(store) == ["user's", "upload"]
    assert (await store.outbox_lag()).waiting == 2
    await append(store, held(begun), 2, TOOL, clock, events=(event("five"),))
    clock.pass_time(1)
    await store.finish_turn(
        lease=held(begun), number=3, steps=(COMPLETED,), now=clock.now, events=(event("end"),)
    )
    assert await names(store) == ["user's", "upload", "one", "two", "three", "four", "five", "end"]
    # The turn has ended: nothing waits for it any more.
    await store.add_events(key=key, events=(event("late"),), now=clock.now, turn_id=begun.turn.turn_id)
    assert (await names(store))[-1] == "late"


async def test_a_held_event_is_stored_once_too(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    await store.add_events(key=key, events=(event("before"),), now=clock.now)
    for _ in range(2):
        await store.add_events(
            key=key, events=(event("before"), event("a")), now=clock.now, turn_id=begun.turn.turn_id
        )
    await finish(store, begun, clock)
    assert await names(store) == ["before", "a"]


async def test_two_users_may_use_one_event_id(store: Store, clock: SetClock) -> None:
    for user in ("alice", "bob"):
        begun = await begin(store, session_key(user), clock)
        await append(store, held(begun), 1, MODEL, clock, events=(event("a"),))
        await finish(store, begun, clock, 2)
    stored = await store.unpublished_events(limit=9)
    assert [each.key.user_id for each in stored] == ["alice", "bob"]


async def test_what_was_published_does_not_come_again(store: Store, clock: SetClock, key: SessionKey) -> None:
    assert await store.outbox_lag() == OutboxLag(waiting=0, oldest=None)
    await store.create_session(key=key, title="", context={}, now=clock.now)
    oldest = clock.now
    for n in range(5):
        await store.add_events(key=key, events=(event(str(n)),), now=clock.now)
        clock.pass_time(1)
    assert await store.outbox_lag() == OutboxLag(waiting=5, oldest=oldest)
    page = await store.unpublished_events(limit=2)
    assert await store.unpublished_events(limit=2) == page
    for _ in range(2):
        await store.mark_published(events=page, now=clock.now)
    await store.mark_published(events=(), now=clock.now)
    assert (await store.outbox_lag()).waiting == 3
    # Its id stays taken: the same cause is the same event.
    await store.add_events(key=key, events=(event("0"),), now=clock.now)
    assert await publish(store, clock, 9) == ["2", "3", "4"]
    assert await names(store) == []


async def test_a_relay_passes_none_over_and_keeps_each_sessions_order(
    store: Store, other_store: Store, clock: SetClock
) -> None:
    keys = [session_key(session_id=f"s-{n}") for n in range(8)]
    for key in keys:
        await store.create_session(key=key, title="", context={}, now=clock.now)
    done = asyncio.Event()

    async def write(key: SessionKey, into: Store) -> None:
        for n in range(12):
            await into.add_events(key=key, events=(event(f"{key.session_id}/{n}"),), now=clock.now)

    async def relay() -> list[str]:
        seen: list[str] = []
        while not done.is_set() or await names(store, 1):
            seen += await publish(store, clock, 5)
        return seen

    relaying = asyncio.create_task(relay())
    async with asyncio.timeout(60):
        await asyncio.gather(*(write(key, (store, other_store)[n % 2]) for n, key in enumerate(keys)))
        done.set()
        seen = await relaying
    assert len(seen) == len(set(seen)) == 96
    for key in keys:
        mine = [name for name in seen if name.startswith(f"{key.session_id}/")]
        assert mine == [f"{key.session_id}/{n}" for n in range(12)]


@pytest.mark.parametrize("way", ["interrupt", "wait"])
async def test_an_event_is_out_when_its_turn_is_over_however_it_ended(
    store: Store, clock: SetClock, key: SessionKey, way: str
) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock, events=(event("a"),))
    next_one = await begin(store, key, clock, if_busy=way)
    assert await names(store) == (["a"] if way == "interrupt" else [])
    if next_one.lease is None:
        await finish(store, begun, clock, 2)
    assert await names(store) == ["a"]


async def test_an_event_remembers_where_in_a_trace_it_was_caused(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    place = TraceContext("a" * 32, "b" * 16, True)
    begun = await begin(store, key, clock)
    with Within(place):
        at_once, held_back = event("at-once"), event("held")
    other = replace(key, session_id="other")
    await store.create_session(key=other, title="", context={}, now=clock.now)
    await store.add_events(key=other, events=(at_once, event("none")), now=clock.now)
    await store.add_events(key=key, events=(held_back,), now=clock.now, turn_id=begun.turn.turn_id)
    await finish(store, begun, clock)
    found = {each.event.event_id: each.event for each in await store.unpublished_events(limit=9)}
    assert found["at-once"] == at_once
    assert found["at-once"].traceparent == found["held"].traceparent == place.traceparent
    assert found["none"].traceparent is None
