"""Turns that are stopped from outside, and summaries: the contract, over every backend."""

from __future__ import annotations

import pytest

from shared.errors import SessionConflictError, TurnNotFoundError
from shared.keys import SessionKey
from shared.session import Summary
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn
from shared.turn import Turn
from tests.contracts.session_values import COMPLETED, MODEL, ODD, SetClock, event, held, run_turn, session_key
from tests.contracts.turn_steps import EXPIRED, append, begin, claim, finish, load, pause


async def stop(store: Store, begun: BegunTurn, clock: SetClock, *names: str, user_id: str = "alice") -> Turn:
    return await store.stop_turn(
        user_id=user_id,
        turn_id=begun.turn.turn_id,
        status="cancelled",
        now=clock.now,
        events=tuple(event(name) for name in names),
    )


async def names(store: Store) -> list[str]:
    return [each.event.event_id for each in await store.unpublished_events(limit=99)]


async def test_a_running_turn_is_stopped_with_what_it_has(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock, events=(event("a"),))
    now = clock.pass_time(1)
    stopped = await stop(other_store, begun, clock, "stopped")
    assert (stopped.status, stopped.completed_at, stopped.steps[1:]) == ("cancelled", now, (MODEL,))
    assert stopped == await load(store, begun)
    assert await names(store) == ["a", "stopped"]
    assert await store.lost_leases(leases=(held(begun),)) == (held(begun),)
    for attempt in (
        append(store, held(begun), 2, MODEL, clock),
        finish(store, begun, clock, 2),
        store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=9),
        store.save_summary(lease=held(begun), summary=Summary(text="x", through=1), now=clock.now),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    again = await begin(store, key, clock)
    assert again.history == (stopped,)


@pytest.mark.parametrize("how", ["paused", "expired"])
async def test_a_turn_that_nobody_runs_is_stopped_too(
    store: Store, clock: SetClock, key: SessionKey, how: str
) -> None:
    begun = await begin(store, key, clock)
    await pause(store, begun, clock, 3600)
    if how == "expired":
        clock.pass_time(4000)
    assert (await stop(store, begun, clock)).status == "cancelled"
    assert (await begin(store, key, clock)).lease is not None


async def test_a_turn_that_has_ended_stays_as_it_is(store: Store, clock: SetClock, key: SessionKey) -> None:
    done = await run_turn(store, key, clock.now)
    before = await load(store, done)
    clock.pass_time(1)
    assert await stop(store, done, clock, "late") == before
    assert before.status == "completed"
    running = await begin(store, key, clock)
    first = await stop(store, running, clock, "once")
    clock.pass_time(1)
    assert await stop(store, running, clock, "twice") == first
    assert await names(store) == ["once"]


async def test_a_waiting_turn_gets_its_number_and_this_end(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    second = await begin(store, key, clock, if_busy="wait")
    third = await begin(store, key, clock, if_busy="wait")
    now = clock.pass_time(1)
    stopped = await stop(store, second, clock, "stopped")
    assert (stopped.status, stopped.number, stopped.completed_at) == ("cancelled", 2, now)
    assert [step.kind for step in stopped.steps] == ["user"]
    assert stopped.created_at == second.turn.created_at
    assert await names(store) == ["stopped"]
    assert (await load(store, first)).status == "running"
    await finish(store, first, clock)
    assert await claim(store, clock, second) is None
    begun = await claim(store, clock, third)
    assert begun is not None
    assert begun.history == (await load(store, first), stopped)


async def test_only_the_users_own_turns_are_stopped(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait")
    for mine in (begun, waiting):
        with pytest.raises(TurnNotFoundError):
            await stop(store, mine, clock, user_id="bob")
    with pytest.raises(TurnNotFoundError):
        await store.stop_turn(user_id="alice", turn_id="none", status="interrupted", now=clock.now)
    await store.delete_session(key=key, now=clock.now)
    for mine in (begun, waiting):
        with pytest.raises(TurnNotFoundError):
            await stop(store, mine, clock)


async def test_lost_leases_are_told_apart_from_those_that_hold(store: Store, clock: SetClock) -> None:
    assert await store.lost_leases(leases=()) == ()
    keys = [session_key(session_id=f"s-{n}") for n in range(60)] + [session_key("bob", "s-0")]
    leases = [held(await begin(store, key, clock)) for key in keys]
    clock.pass_time(EXPIRED)
    # One that has run out holds until another takes it.
    assert await store.lost_leases(leases=tuple(leases)) == ()
    await begin(store, keys[3], clock)
    await store.delete_session(key=keys[5], now=clock.now)
    await store.finish_turn(lease=leases[7], number=1, steps=(COMPLETED,), now=clock.now)
    assert await store.lost_leases(leases=tuple(leases)) == (leases[3], leases[5], leases[7])


async def test_deleting_a_session_stops_its_turns_and_lets_their_events_go(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock, events=(event("a"),))
    await begin(store, key, clock, if_busy="wait")
    await store.delete_session(key=key, now=clock.now)
    assert await names(store) == ["a"]
    assert await store.lost_leases(leases=(held(begun),)) == (held(begun),)


async def test_a_summary_stands_for_the_turns_it_covers(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    turns = [(await run_turn(store, key, clock.pass_time(1))).turn for _ in range(4)]
    begun = await begin(store, key, clock)
    assert begun.summary is None
    summary = Summary(text=ODD, through=turns[1].number)
    await store.save_summary(lease=held(begun), summary=summary, now=clock.now)
    shorter = Summary(text="less", through=turns[0].number)
    await store.save_summary(lease=held(begun), summary=shorter, now=clock.now)
    await finish(store, begun, clock)
    again = await begin(store, key, clock)
    assert again.summary == summary
    assert [turn.number for turn in again.history or ()] == [3, 4, 5]
    further = Summary(text="all", through=5)
    await store.save_summary(lease=held(again), summary=further, now=clock.now)
    await finish(store, again, clock)
    last = await begin(store, key, clock)
    assert (last.summary, [turn.number for turn in last.history or ()]) == (further, [6])


async def test_a_new_summary_makes_a_known_history_old(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await run_turn(store, key, clock.now)
    begun = await begin(store, key, clock)
    known = begun.session.revision + 1
    await store.save_summary(lease=held(begun), summary=Summary(text="x", through=1), now=clock.now)
    await finish(store, begun, clock)
    again = await begin(store, key, clock, known_revision=known)
    assert [turn.number for turn in again.history or ()] == [2]
