"""Several processes at one session: each has its own queues, the documents alone decide."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.errors import SessionConflictError, TurnInProgressError
from shared.keys import SessionKey
from shared.sessions.firestore.store import FirestoreStore
from shared.sessions.turn_port import BegunTurn
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    MODEL,
    TOOL,
    SetClock,
    artifact,
    event,
    held,
    new_turn,
)


@pytest.fixture
async def stores(firestore_url: str, clock: SetClock) -> AsyncIterator[tuple[FirestoreStore, ...]]:
    """Three stores on one database, as three processes have them."""
    opened = [await FirestoreStore.open(firestore_url, clock=clock) for _ in range(3)]
    yield tuple(opened)
    for store in opened:
        await store.close()


async def test_of_200_posts_in_any_mixture_none_is_lost(
    stores: tuple[FirestoreStore, ...], clock: SetClock, key: SessionKey
) -> None:
    kinds = ("reject", "wait", "interrupt", "wait", "rollback")

    async def post(number: int) -> tuple[str, BegunTurn | None]:
        store, kind = stores[number % 3], kinds[number % 5]
        new = new_turn(key, clock.now, if_busy=kind, wait_seconds=3600)
        try:
            return kind, await store.begin_turn(new=new)
        except TurnInProgressError:
            return kind, None

    async with asyncio.timeout(60):
        posted = await asyncio.gather(*(post(number) for number in range(200)))
    assert all(begun is not None for kind, begun in posted if kind != "reject")
    waiting = [begun.turn.turn_id for _, begun in posted if begun is not None and begun.lease is None]
    started = [begun for _, begun in posted if begun is not None and begun.lease is not None]
    leases = tuple(held(begun) for begun in started)
    assert len({lease.token for lease in leases}) == len(leases)
    assert len(await stores[0].lost_leases(leases=leases)) == len(leases) - 1
    running = next(begun for begun in started if held(begun).token == max(lease.token for lease in leases))
    order = []
    async with asyncio.timeout(60):
        while True:
            order.append(running.turn.turn_id)
            store = stores[len(order) % 3]
            await store.finish_turn(lease=held(running), number=1, steps=(DONE, COMPLETED), now=clock.now)
            claimed = await store.claim_waiting(
                key=key,
                turn_ids=tuple(waiting),
                now=clock.now,
                lease_seconds=60,
                wait_seconds=3600,
                history_messages=4,
            )
            if claimed is None:
                break
            running = claimed
    assert sorted(order[1:]) == sorted(waiting)
    kept = await stores[1].list_turns(key=key, limit=300, cursor=None)
    numbers = [turn.number for turn in kept.items]
    assert numbers == sorted(set(numbers), reverse=True)
    assert {turn.turn_id for turn in kept.items} >= set(waiting)


async def test_what_others_do_to_a_session_does_not_disturb_its_turn(
    stores: tuple[FirestoreStore, ...], clock: SetClock, key: SessionKey
) -> None:
    one, two, three = stores
    begun = await one.begin_turn(new=new_turn(key, clock.now))

    async def turn() -> None:
        for number in range(1, 13):
            await one.append_step(
                lease=held(begun),
                number=number,
                step=(TOOL, MODEL)[number % 2],
                now=clock.now,
                lease_seconds=60,
            )
        await one.finish_turn(lease=held(begun), number=13, steps=(DONE, COMPLETED), now=clock.now)

    async def patches() -> None:
        for number in range(12):
            await two.patch_context(key=key, patch={str(number): number}, now=clock.now)

    async def saves() -> None:
        for number in range(1, 13):
            assert await three.add_version(
                artifact=artifact(key, clock.now, version=number), max_files=1, events=(event(f"e-{number}"),)
            )

    async with asyncio.timeout(60):
        await asyncio.gather(turn(), patches(), saves())
    session = await two.load_session(key=key)
    assert session.context == {str(number): number for number in range(12)}
    assert session.revision == 1 + 12 + 1 + 12
    assert len(await one.unpublished_events(limit=99)) == 12
    assert (await two.load_turn(user_id="alice", turn_id=begun.turn.turn_id)).status == "completed"


async def test_what_this_process_remembers_of_a_turn_is_never_believed(
    stores: tuple[FirestoreStore, ...], clock: SetClock, key: SessionKey
) -> None:
    one, two, _ = stores
    begun = await one.begin_turn(new=new_turn(key, clock.now))
    await two.stop_turn(user_id="alice", turn_id=begun.turn.turn_id, status="cancelled", now=clock.now)
    for attempt in (
        one.append_step(lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=60),
        one.renew_lease(lease=held(begun), now=clock.now, lease_seconds=60),
        one.finish_turn(lease=held(begun), number=1, steps=(DONE, COMPLETED), now=clock.now),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    assert (await one.load_turn(user_id="alice", turn_id=begun.turn.turn_id)).steps == begun.turn.steps
