"""Turns that died with their process and that nobody asks about: the contract, over every backend."""

from __future__ import annotations

from dataclasses import replace

from shared.keys import SessionKey
from shared.sessions.port import Store
from tests.contracts.session_values import MODEL, SetClock, event, held
from tests.contracts.turn_steps import EXPIRED, append, begin, finish, load, pause, taken

LIMIT = 10


async def names(store: Store) -> list[str]:
    return [each.event.event_id for each in await store.unpublished_events(limit=99)]


async def test_the_events_of_a_dead_turn_go_out_and_it_can_be_taken_up(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    dead = await begin(store, key, clock)
    await append(store, held(dead), 1, MODEL, clock, events=(event("a"),))
    assert await other_store.interrupt_dead(now=clock.now, limit=LIMIT) == 0
    assert await names(store) == []
    clock.pass_time(EXPIRED)
    assert await other_store.interrupt_dead(now=clock.now, limit=LIMIT) == 1
    assert await other_store.interrupt_dead(now=clock.now, limit=LIMIT) == 0
    assert await names(store) == ["a"]
    turn = await load(store, dead)
    assert (turn.status, turn.completed_at, turn.steps[1:]) == ("interrupted", clock.now, (MODEL,))
    assert await store.lost_leases(leases=(held(dead),)) == (held(dead),)
    again = await store.take_turn(taken=taken(dead, clock))
    await finish(store, again, clock, number=3)
    assert (await load(store, dead)).status == "completed"


async def test_those_that_run_pause_or_have_ended_stay(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    running, paused, ended = [
        await begin(store, replace(key, session_id=name), clock) for name in ("running", "paused", "ended")
    ]
    await pause(store, paused, clock, seconds=10 * EXPIRED)
    await finish(store, ended, clock)
    clock.pass_time(EXPIRED)
    await store.renew_lease(lease=held(running), now=clock.now, lease_seconds=EXPIRED)
    assert await store.interrupt_dead(now=clock.now, limit=LIMIT) == 0
    assert [(await load(store, each)).status for each in (running, paused, ended)] == [
        "running",
        "paused",
        "completed",
    ]
    clock.pass_time(20 * EXPIRED)
    assert await store.interrupt_dead(now=clock.now, limit=LIMIT) == 2


async def test_the_longest_dead_are_the_first_and_no_more_than_asked_for(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    dead = []
    for number in range(3):
        dead.append(await begin(store, replace(key, session_id=f"s-{number}"), clock))
        await append(store, held(dead[-1]), 1, MODEL, clock, events=(event(f"e-{number}"),))
        clock.pass_time(1)
    clock.pass_time(EXPIRED)
    assert await store.interrupt_dead(now=clock.now, limit=2) == 2
    assert sorted(await names(store)) == ["e-0", "e-1"]
    await store.delete_session(key=dead[2].turn.key, now=clock.now)
    assert await store.interrupt_dead(now=clock.now, limit=2) == 0
