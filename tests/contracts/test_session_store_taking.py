"""Turns that are paused, and turns that are taken up again: the contract, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

import pytest

from shared.errors import (
    ApprovalRequiredError,
    SessionConflictError,
    TurnInProgressError,
    TurnNotFoundError,
)
from shared.keys import SessionKey
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn
from shared.turn import DecisionStep, ResumedStep
from tests.contracts.session_values import (
    COMPLETED,
    FAILED,
    LEASE_SECONDS,
    MODEL,
    TOOL,
    SetClock,
    event,
    held,
)
from tests.contracts.turn_steps import (
    EXPIRED,
    RESUMED,
    WAIT,
    append,
    begin,
    claim,
    finish,
    load,
    pause,
    question,
    taken,
)

YES = DecisionStep(call_id="call-1", approved=True)


async def refused(store: Store, begun: BegunTurn, clock: SetClock, step: ResumedStep | DecisionStep) -> type:
    before = await load(store, begun)
    with pytest.raises((SessionConflictError, TurnInProgressError, ApprovalRequiredError)) as error:
        await store.take_turn(taken=taken(begun, clock, step))
    assert await load(store, begun) == before
    return error.type


async def test_a_paused_turn_holds_its_session_and_takes_no_other_write(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    asked = await pause(store, begun, clock, seconds=3600)
    clock.pass_time(EXPIRED)
    paused = await load(store, begun)
    assert (paused.status, paused.steps[1:]) == ("paused", (MODEL, asked))
    assert await store.lost_leases(leases=(held(begun),)) == ()
    for attempt in (
        append(store, held(begun), 3, TOOL, clock),
        store.finish_turn(lease=held(begun), number=3, steps=(COMPLETED,), now=clock.now),
        store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=9),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    second = question(asked.expires_at, "call-2")
    await append(store, held(begun), 3, second, clock, pause_until=second.expires_at)
    assert (await load(store, begun)).steps[2:] == (asked, second)
    clock.pass_time(3600)
    assert (await load(store, begun)).status == "interrupted"
    assert (await begin(store, key, clock)).lease is not None


async def test_the_users_answer_goes_on_with_a_paused_turn(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    earlier = await begin(store, key, clock)
    await finish(store, earlier, clock)
    begun = await begin(store, key, clock)
    await pause(store, begun, clock)
    assert await refused(store, begun, clock, RESUMED) is ApprovalRequiredError
    now = clock.pass_time(1800)
    going = await other_store.take_turn(taken=taken(begun, clock, YES))
    assert (going.turn.status, going.turn.steps[3:], going.turn.step_times[3]) == ("running", (YES,), now)
    assert going.turn == await load(store, begun)
    assert going.session == await store.load_session(key=key)
    assert [turn.turn_id for turn in going.history or ()] == [earlier.turn.turn_id]
    assert held(going).turn_number == begun.turn.number
    assert await store.lost_leases(leases=(held(begun), held(going))) == (held(begun),)
    clock.pass_time(LEASE_SECONDS - 1)
    await append(other_store, held(going), 4, TOOL, clock)
    await finish(other_store, going, clock, 5)
    done = await load(store, begun)
    assert (done.status, len(done.steps)) == ("completed", 7)


async def test_an_answer_counts_once_in_time_and_for_its_own_call(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    asked = await pause(store, begun, clock, seconds=600)
    other = question(asked.expires_at, "call-2")
    await append(store, held(begun), 3, other, clock, pause_until=other.expires_at)
    stranger = DecisionStep(call_id="call-3", approved=True)
    assert await refused(store, begun, clock, stranger) is SessionConflictError
    going = await store.take_turn(taken=taken(begun, clock, YES))
    assert await refused(store, begun, clock, YES) is TurnInProgressError
    await append(store, held(going), 5, TOOL, clock, pause_until=other.expires_at)
    assert await refused(store, begun, clock, YES) is SessionConflictError
    clock.pass_time(600)
    late = DecisionStep(call_id="call-2", approved=True)
    assert await refused(store, begun, clock, late) is SessionConflictError
    with pytest.raises(TurnNotFoundError):
        await store.take_turn(taken=replace(taken(begun, clock, late), user_id="bob"))


async def test_of_answers_at_once_one_counts(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    await pause(store, begun, clock)
    answers = [DecisionStep(call_id="call-1", approved=n % 2 == 0) for n in range(8)]
    results = await asyncio.gather(
        *(store.take_turn(taken=taken(begun, clock, answer)) for answer in answers), return_exceptions=True
    )
    assert sum(isinstance(result, BegunTurn) for result in results) == 1
    assert sum(isinstance(result, TurnInProgressError) for result in results) == 7
    winner = next(n for n, result in enumerate(results) if isinstance(result, BegunTurn))
    assert (await load(store, begun)).steps[3:] == (answers[winner],)


async def test_a_turn_whose_owner_died_goes_on_where_it_was(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock, events=(event("a"),))
    assert await refused(other_store, begun, clock, RESUMED) is TurnInProgressError
    clock.pass_time(EXPIRED)
    assert await refused(other_store, begun, clock, YES) is SessionConflictError
    going = await other_store.take_turn(taken=taken(begun, clock))
    assert going.turn.steps[1:] == (MODEL, RESUMED)
    with pytest.raises(SessionConflictError):
        await append(store, held(begun), 3, TOOL, clock)
    await append(other_store, held(going), 3, TOOL, clock)
    # The turn has not ended in between: what it had to tell waits still.
    assert await store.unpublished_events(limit=9) == ()
    await finish(other_store, going, clock, 4)
    assert (await load(store, begun)).status == "completed"
    assert [each.event for each in await store.unpublished_events(limit=9)] == [event("a")]


async def test_of_many_that_take_a_turn_up_one_does(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    clock.pass_time(EXPIRED)
    results = await asyncio.gather(
        *(store.take_turn(taken=taken(begun, clock)) for _ in range(12)), return_exceptions=True
    )
    assert sum(isinstance(result, BegunTurn) for result in results) == 1
    assert sum(isinstance(result, TurnInProgressError) for result in results) == 11
    assert (await load(store, begun)).steps[1:] == (RESUMED,)


@pytest.mark.parametrize("how", ["failed", "interrupted", "stopped"])
async def test_a_turn_that_ended_badly_goes_on_behind_its_end(
    store: Store, clock: SetClock, key: SessionKey, how: str
) -> None:
    begun = await begin(store, key, clock)
    if how == "failed":
        await store.finish_turn(lease=held(begun), number=1, steps=(FAILED,), now=clock.now)
    elif how == "interrupted":
        final = replace(FAILED, status="interrupted")
        await store.finish_turn(lease=held(begun), number=1, steps=(final,), now=clock.now)
    else:
        await store.stop_turn(
            user_id="alice", turn_id=begun.turn.turn_id, status="interrupted", now=clock.now
        )
    before = await load(store, begun)
    assert before.completed_at == clock.now
    going = await store.take_turn(taken=taken(begun, clock))
    assert (going.turn.status, going.turn.completed_at) == ("running", None)
    assert going.turn.steps == (*before.steps, RESUMED)
    assert going.turn == await load(store, begun)
    await finish(store, going, clock, len(going.turn.steps))
    assert (await load(store, begun)).status == "completed"


@pytest.mark.parametrize("status", ["completed", "cancelled"])
async def test_a_turn_that_ended_for_good_does_not_go_on(
    store: Store, clock: SetClock, key: SessionKey, status: Literal["completed", "cancelled"]
) -> None:
    begun = await begin(store, key, clock)
    final = replace(COMPLETED, status=status)
    await store.finish_turn(lease=held(begun), number=1, steps=(final,), now=clock.now)
    assert await refused(store, begun, clock, RESUMED) is SessionConflictError


async def test_a_turn_the_session_went_on_after_does_not_go_on(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    second = await begin(store, key, clock, if_busy="interrupt")
    assert await refused(store, first, clock, RESUMED) is TurnInProgressError
    await finish(store, second, clock)
    assert await refused(store, first, clock, RESUMED) is SessionConflictError


async def test_one_that_only_waited_behind_it_is_no_reason(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait")
    await store.stop_turn(user_id="alice", turn_id=waiting.turn.turn_id, status="cancelled", now=clock.now)
    clock.pass_time(EXPIRED)
    going = await store.take_turn(taken=taken(first, clock))
    assert going.turn.turn_id == first.turn.turn_id
    await finish(store, going, clock, 2)
    after = await begin(store, key, clock)
    assert [turn.status for turn in after.history or ()] == ["completed", "cancelled"]


async def test_a_waiting_turn_that_nobody_keeps_begins(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    waiting = await begin(store, key, clock, if_busy="wait", wait_seconds=WAIT)
    assert await refused(store, waiting, clock, RESUMED) is TurnInProgressError
    clock.pass_time(WAIT)
    assert await refused(store, waiting, clock, RESUMED) is TurnInProgressError
    await finish(store, first, clock)
    assert await refused(store, waiting, clock, YES) is SessionConflictError
    going = await store.take_turn(taken=taken(waiting, clock))
    assert (going.turn.number, going.turn.status, going.turn.steps[1:]) == (2, "running", (RESUMED,))
    assert going.turn == await load(store, waiting)
    assert [turn.turn_id for turn in going.history or ()] == [first.turn.turn_id]
    assert await claim(store, clock, first) is None
    await finish(store, going, clock, 2)


async def test_a_turn_of_a_deleted_session_or_none_is_not_found(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await begin(store, key, clock)
    with pytest.raises(TurnNotFoundError):
        await store.take_turn(taken=replace(taken(begun, clock), turn_id="none"))
    await store.delete_session(key=key, now=clock.now)
    with pytest.raises(TurnNotFoundError):
        await store.take_turn(taken=taken(begun, clock))
