"""A busy session under each `if_busy`, and the line of turns that wait: the contract, over every backend."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import (
    ApprovalRequiredError,
    SessionConflictError,
    SessionNotFoundError,
    TurnInProgressError,
    TurnNotFoundError,
)
from shared.keys import SessionKey
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn
from shared.turn import UserStep
from tests.contracts.session_values import MODEL, SetClock, event, held, session_key
from tests.contracts.turn_steps import EXPIRED, WAIT, append, begin, claim, finish, load, pause


async def test_a_waiting_turn_has_a_place_and_nothing_else(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait")
    assert (waiting.lease, waiting.turn.status, waiting.turn.number) == (None, "waiting", 0)
    assert (waiting.turn.steps, waiting.turn.request) == ((), first.turn.request)
    assert await load(store, waiting) == waiting.turn
    assert [turn.turn_id for turn in (await store.list_turns(key=key, limit=9, cursor=None)).items] == [
        first.turn.turn_id
    ]
    with pytest.raises(TurnNotFoundError):
        await store.load_turn(user_id="bob", turn_id=waiting.turn.turn_id)


async def test_in_a_free_session_every_way_begins_at_once(store: Store, clock: SetClock) -> None:
    for way in ("reject", "wait", "interrupt", "rollback"):
        key = session_key(session_id=way)
        begun = await begin(store, key, clock, if_busy=way)
        assert (begun.turn.number, begun.turn.status) == (1, "running")
        await finish(store, begun, clock)
        again = await begin(store, key, clock, if_busy=way)
        assert [turn.turn_id for turn in again.history or ()] == [begun.turn.turn_id]


async def test_the_line_begins_in_its_order_when_the_session_is_free(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    second = await begin(store, key, clock, if_busy="wait")
    third = await begin(other_store, key, clock, if_busy="wait")
    assert await claim(store, clock, second) is None
    await finish(store, first, clock)
    assert await claim(other_store, clock, third) is None
    start = clock.pass_time(1)
    begun = await claim(store, clock, second)
    assert begun is not None
    assert begun.turn.turn_id == second.turn.turn_id
    assert (begun.turn.number, begun.turn.status) == (2, "running")
    assert begun.turn.steps == (UserStep(text="Build a bot", context={"a": 1}),)
    assert (begun.turn.step_times, begun.turn.created_at) == ((start,), second.turn.created_at)
    assert begun.turn == await load(store, second)
    assert begun.session == await store.load_session(key=key)
    assert [turn.turn_id for turn in begun.history or ()] == [first.turn.turn_id]
    assert await claim(other_store, clock, third) is None
    await finish(store, begun, clock)
    last = await claim(other_store, clock, third)
    assert last is not None
    assert [turn.turn_id for turn in last.history or ()] == [first.turn.turn_id, second.turn.turn_id]


async def test_one_process_asks_for_all_its_turns_and_gets_the_first(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    waiting = [await begin(store, key, clock, if_busy="wait") for _ in range(3)]
    await finish(store, first, clock)
    line = [each.turn.turn_id for each in waiting]
    order = []
    while waiting:
        begun = await claim(store, clock, *waiting[::-1])
        assert begun is not None
        order.append(begun.turn.turn_id)
        waiting = [each for each in waiting if each.turn.turn_id != begun.turn.turn_id]
        await finish(store, begun, clock)
    assert order == line
    turns = (await store.list_turns(key=key, limit=9, cursor=None)).items
    assert [turn.turn_id for turn in reversed(turns)] == [first.turn.turn_id, *order]


async def test_a_session_whose_line_waits_is_busy(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    second = await begin(store, key, clock, if_busy="wait")
    await finish(store, first, clock)
    with pytest.raises(TurnInProgressError) as refused:
        await begin(store, key, clock)
    assert refused.value.details["turn_id"] == second.turn.turn_id
    third = await begin(store, key, clock, if_busy="wait")
    assert third.turn.status == "waiting"
    begun = await claim(store, clock, third, second)
    assert begun is not None
    assert begun.turn.turn_id == second.turn.turn_id


async def test_a_place_that_nobody_renews_runs_out(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    dead = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    alive = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    clock.pass_time(WAIT - 1)
    assert await claim(store, clock, alive) is None
    assert (await load(store, dead)).status == "waiting"
    clock.pass_time(1)
    assert (await load(store, dead)).status == "interrupted"
    await finish(store, first, clock)
    begun = await claim(store, clock, alive)
    assert begun is not None
    assert begun.turn.turn_id == alive.turn.turn_id
    gone = await load(store, dead)
    assert (gone.status, gone.number, len(gone.steps)) == ("interrupted", 2, 1)
    assert begun.turn.number == 3
    assert [turn.turn_id for turn in begun.history or ()] == [first.turn.turn_id, dead.turn.turn_id]
    assert await claim(store, clock, dead) is None


async def test_a_line_of_the_dead_is_in_nobodys_way(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    await append(store, held(first), 1, MODEL, clock, events=(event("held"),))
    dead = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    clock.pass_time(EXPIRED)
    assert await store.unpublished_events(limit=9) == ()
    begun = await begin(store, key, clock)
    assert [(turn.turn_id, turn.status) for turn in begun.history or ()] == [
        (first.turn.turn_id, "interrupted"),
        (dead.turn.turn_id, "interrupted"),
    ]
    assert (begun.turn.number, begun.lease is not None) == (3, True)
    assert [each.event.event_id for each in await store.unpublished_events(limit=9)] == ["held"]


async def test_a_claim_takes_over_from_a_dead_owner(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    clock.pass_time(EXPIRED - 10)
    waiting = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    assert await claim(store, clock, waiting) is None
    clock.pass_time(10)
    begun = await claim(store, clock, waiting)
    assert begun is not None
    assert [turn.status for turn in begun.history or ()] == ["interrupted"]
    with pytest.raises(SessionConflictError):
        await finish(store, first, clock)


async def test_interrupting_keeps_the_record_and_begins_before_the_line(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    await append(store, held(first), 1, MODEL, clock, events=(event("a"),))
    waiting = await begin(store, key, clock, if_busy="wait")
    now = clock.pass_time(1)
    second = await begin(store, key, clock, if_busy="interrupt")
    assert [(turn.turn_id, turn.status) for turn in second.history or ()] == [
        (first.turn.turn_id, "interrupted")
    ]
    left = await load(store, first)
    assert (left.status, left.completed_at, left.steps[1:]) == ("interrupted", now, (MODEL,))
    assert await store.lost_leases(leases=(held(first), held(second))) == (held(first),)
    with pytest.raises(SessionConflictError):
        await finish(store, first, clock, 2)
    assert [each.event for each in await store.unpublished_events(limit=9)] == [event("a")]
    assert (await load(store, waiting)).status == "waiting"
    await finish(store, second, clock)
    assert await claim(store, clock, waiting) is not None


async def test_a_paused_turn_is_in_the_way(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    await pause(store, first, clock)
    clock.pass_time(EXPIRED)
    with pytest.raises(ApprovalRequiredError) as refused:
        await begin(store, key, clock)
    assert refused.value.details["turn_id"] == first.turn.turn_id
    waiting = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    assert waiting.turn.status == "waiting"
    assert await claim(store, clock, waiting) is None
    second = await begin(store, key, clock, if_busy="interrupt")
    assert second.lease is not None
    assert (await load(store, first)).status == "interrupted"


async def test_a_deleted_session_lets_nobody_wait(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait")
    await store.delete_session(key=key, now=clock.now)
    with pytest.raises(SessionNotFoundError):
        await claim(store, clock, waiting)
    for way in ("reject", "wait", "interrupt", "rollback"):
        with pytest.raises(SessionNotFoundError):
            await begin(store, key, clock, if_busy=way)
    for each in (first, waiting):
        with pytest.raises(TurnNotFoundError):
            await load(store, each)


async def test_a_waiting_turns_id_is_used_once(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait")
    elsewhere = session_key(session_id="s-2")
    await begin(store, elsewhere, clock)
    for used in (first, waiting):
        with pytest.raises(SessionConflictError):
            await begin(store, elsewhere, clock, if_busy="wait", turn_id=used.turn.turn_id)


async def test_a_repeat_by_key_finds_the_waiting_turn(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait", idempotency_key="k", body_hash="h")
    repeat = await begin(store, key, clock, if_busy="wait", idempotency_key="k", body_hash="h")
    assert (repeat.lease, repeat.turn) == (None, waiting.turn)
    await finish(store, first, clock)
    begun = await claim(store, clock, waiting)
    assert begun is not None
    repeat = await begin(store, key, clock, if_busy="interrupt", idempotency_key="k", body_hash="h")
    assert (repeat.lease, repeat.turn) == (None, begun.turn)


async def test_the_history_comes_only_where_it_is_not_known(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    assert (first.base_revision, first.session.revision) == (0, 1)
    await finish(store, first, clock)
    revision = (await store.load_session(key=key)).revision
    second = await begin(store, key, clock, known_revision=revision)
    assert (second.history, second.base_revision) == (None, revision)
    await finish(store, second, clock)
    third = await begin(store, key, clock, known_revision=revision)
    assert len(third.history or ()) == 2
    clock.pass_time(EXPIRED)
    revision = (await store.load_session(key=key)).revision
    fourth = await begin(store, key, clock, known_revision=revision)
    assert [turn.status for turn in fourth.history or ()] == ["completed", "completed", "interrupted"]


async def test_of_claims_at_once_one_begins_and_the_others_see_it_run(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    mine = [await begin(store, key, clock, if_busy="wait") for _ in range(4)]
    theirs = [await begin(other_store, key, clock, if_busy="wait") for _ in range(4)]
    await finish(store, first, clock)
    results = await asyncio.gather(
        *(claim(store, clock, *mine) for _ in range(8)),
        *(claim(other_store, clock, *theirs) for _ in range(8)),
    )
    begun = [result for result in results if isinstance(result, BegunTurn)]
    assert {each.turn.turn_id for each in begun} == {mine[0].turn.turn_id}
    assert len({held(each).token for each in begun}) == 1
    assert results[8:] == [None] * 8
