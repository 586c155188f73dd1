"""The contract of `TurnStore`, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from shared.errors import (
    IdempotencyMismatchError,
    InvalidRequestError,
    SessionConflictError,
    SessionNotFoundError,
    TurnInProgressError,
    TurnNotFoundError,
)
from shared.keys import SessionKey
from shared.messages import TextPart
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, Lease
from shared.turn import FinalStep, ModelStep, Step, Turn, TurnRequest, UserStep
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    FAILED,
    FAULT,
    LEASE_SECONDS,
    MODEL,
    ODD,
    TOOL,
    SetClock,
    event,
    held,
    new_turn,
    run_turn,
    session_key,
)

EXPIRED = LEASE_SECONDS + 1


async def append(store: Store, lease: Lease, number: int, step: Step, clock: SetClock) -> None:
    await store.append_step(lease=lease, number=number, step=step, now=clock.now, lease_seconds=LEASE_SECONDS)


async def finish(store: Store, lease: Lease, clock: SetClock, number: int = 1) -> None:
    await store.finish_turn(lease=lease, number=number, steps=(COMPLETED,), now=clock.now)


async def load(store: Store, begun: BegunTurn) -> Turn:
    return await store.load_turn(user_id=begun.turn.key.user_id, turn_id=begun.turn.turn_id)


async def test_a_turn_is_read_as_its_steps_were_written(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    request = TurnRequest(message=ODD, enable_tools=False, context={ODD: [1]}, model=None)
    begun = await store.begin_turn(new=new_turn(key, clock.now, request=request))
    start = clock.now
    assert begun.turn.steps == (UserStep(text=ODD, context={ODD: [1]}),)
    assert begun.turn.request == request
    assert await load(store, begun) == begun.turn
    await append(store, held(begun), 1, MODEL, clock)
    later = clock.pass_time(1)
    await append(store, held(begun), 2, TOOL, clock)
    await append(store, held(begun), 3, FAULT, clock)
    end = clock.pass_time(1)
    await store.finish_turn(lease=held(begun), number=4, steps=(DONE, FAILED), now=end)
    turn = await load(store, begun)
    assert turn.steps == (begun.turn.steps[0], MODEL, TOOL, FAULT, DONE, FAILED)
    assert turn.steps[0] == begun.turn.steps[0]
    assert [step.context for step in turn.steps if isinstance(step, UserStep)] == [{ODD: [1]}]
    assert turn.request.context == {ODD: [1]}
    assert turn.step_times == (start, start, later, later, end, end)
    assert (turn.status, turn.created_at, turn.completed_at) == ("failed", start, end)


async def test_beginning_makes_the_session_and_gives_it_its_title(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    assert begun.session == await store.load_session(key=key)
    assert (begun.session.title, begun.session.revision, begun.turn.number) == ("Build a bot", 1, 1)
    await finish(store, held(begun), clock)
    clock.pass_time(1)
    second = await store.begin_turn(new=new_turn(key, clock.now, default_title="Other"))
    assert (second.session.title, second.turn.number) == ("Build a bot", 2)
    assert second.session.updated_at == clock.now


@pytest.mark.parametrize(("given", "kept"), [("", "Build a bot"), ("Mine", "Mine")])
async def test_the_first_turn_titles_only_an_untitled_session(
    store: Store, clock: SetClock, key: SessionKey, given: str, kept: str
) -> None:
    await store.create_session(key=key, title=given, context={"a": 1}, now=clock.now)
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    assert (begun.session.title, begun.session.context, begun.session.revision) == (kept, {"a": 1}, 2)
    await finish(store, held(begun), clock)
    again = await store.begin_turn(new=new_turn(key, clock.now, default_title="Other"))
    assert again.session.title == kept


async def test_one_turn_runs_at_a_time(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    clock.pass_time(LEASE_SECONDS - 2)
    with pytest.raises(TurnInProgressError) as refused:
        await store.begin_turn(new=new_turn(key, clock.now))
    assert refused.value.retry_after == 2
    await finish(store, held(begun), clock)
    assert (await store.begin_turn(new=new_turn(key, clock.now))).lease is not None


async def test_of_many_turns_at_once_one_begins(store: Store, clock: SetClock, key: SessionKey) -> None:
    results = await asyncio.gather(
        *(store.begin_turn(new=new_turn(key, clock.now)) for _ in range(200)), return_exceptions=True
    )
    winners = [result for result in results if isinstance(result, BegunTurn)]
    assert len(winners) == 1
    assert sum(isinstance(result, TurnInProgressError) for result in results) == 199
    turns = (await store.list_turns(key=key, limit=9, cursor=None)).items
    assert [turn.turn_id for turn in turns] == [winners[0].turn.turn_id]


async def test_a_lease_that_ran_out_is_taken_over_and_its_owner_fenced_off(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await store.begin_turn(new=new_turn(key, clock.now))
    await append(store, held(first), 1, MODEL, clock)
    clock.pass_time(EXPIRED)
    assert (await load(store, first)).status == "interrupted"
    assert (await store.list_turns(key=key, limit=1, cursor=None)).items[0].status == "interrupted"
    second = await store.begin_turn(new=new_turn(key, clock.now))
    assert [(turn.turn_id, turn.status) for turn in second.history or ()] == [
        (first.turn.turn_id, "interrupted")
    ]
    assert second.history is not None
    assert second.history[0].steps == (first.turn.steps[0], MODEL)
    for attempt in (
        append(store, held(first), 2, TOOL, clock),
        finish(store, held(first), clock, 2),
        store.renew_lease(lease=held(first), now=clock.now, lease_seconds=9),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    old = await load(store, first)
    assert (old.status, old.completed_at, old.steps) == ("interrupted", clock.now, second.history[0].steps)
    await append(store, held(second), 1, MODEL, clock)
    await finish(store, held(second), clock, 2)
    assert (await load(store, second)).status == "completed"


async def test_of_many_that_take_over_one_does(store: Store, clock: SetClock, key: SessionKey) -> None:
    await store.begin_turn(new=new_turn(key, clock.now))
    clock.pass_time(EXPIRED)
    results = await asyncio.gather(
        *(store.begin_turn(new=new_turn(key, clock.now)) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(result, BegunTurn) for result in results) == 1
    assert sum(isinstance(result, TurnInProgressError) for result in results) == 19


@pytest.mark.parametrize("how", ["append", "renew"])
async def test_a_sign_of_life_keeps_the_lease(
    store: Store, clock: SetClock, key: SessionKey, how: str
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    clock.pass_time(LEASE_SECONDS - 1)
    if how == "append":
        await append(store, held(begun), 1, MODEL, clock)
    else:
        await store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=LEASE_SECONDS)
    clock.pass_time(LEASE_SECONDS - 1)
    assert (await load(store, begun)).status == "running"
    with pytest.raises(TurnInProgressError):
        await store.begin_turn(new=new_turn(key, clock.now))


async def test_an_ended_turn_takes_nothing_more(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await run_turn(store, key, clock.now)
    for attempt in (
        append(store, held(begun), 3, TOOL, clock),
        finish(store, held(begun), clock, 3),
        store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=9),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    assert len((await load(store, begun)).steps) == 3


async def test_a_step_is_written_once_and_a_refused_one_leaves_no_trace(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    await append(store, held(begun), 1, MODEL, clock)
    before = await store.load_session(key=key)
    with pytest.raises(SessionConflictError):
        await append(store, held(begun), 1, TOOL, clock)
    with pytest.raises(SessionConflictError):
        await store.finish_turn(lease=held(begun), number=0, steps=(DONE, COMPLETED), now=clock.now)
    assert await store.load_session(key=key) == before
    turn = await load(store, begun)
    assert (turn.status, turn.steps[1:]) == ("running", (MODEL,))
    await append(store, held(begun), 2, TOOL, clock)


async def test_of_two_writers_of_one_step_one_wins(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    steps = [replace(MODEL, model=f"m{n}") for n in range(6)]
    results = await asyncio.gather(
        *(append(store, held(begun), 1, step, clock) for step in steps), return_exceptions=True
    )
    assert results.count(None) == 1
    assert (await load(store, begun)).steps[1] == steps[results.index(None)]


async def test_a_turn_id_is_used_once(store: Store, clock: SetClock) -> None:
    begun = await store.begin_turn(new=new_turn(session_key(), clock.now))
    with pytest.raises(SessionConflictError):
        await store.begin_turn(
            new=new_turn(session_key(session_id="s-2"), clock.now, turn_id=begun.turn.turn_id)
        )
    with pytest.raises(SessionNotFoundError):
        await store.load_session(key=session_key(session_id="s-2"))


async def test_turns_of_one_id_of_two_users_are_two(store: Store, clock: SetClock) -> None:
    alice, bob = session_key("alice"), session_key("bob")
    request = TurnRequest(message="Bob's")
    mine = await store.begin_turn(new=new_turn(alice, clock.now, turn_id="t", idempotency_key="k"))
    with pytest.raises(TurnNotFoundError):
        await store.load_turn(user_id="bob", turn_id="t")
    theirs = await store.begin_turn(
        new=new_turn(bob, clock.now, turn_id="t", request=request, idempotency_key="k")
    )
    assert theirs.lease is not None
    await finish(store, held(theirs), clock)
    assert await load(store, mine) == mine.turn
    stolen = replace(held(theirs), key=alice, token=99)
    for attempt in (
        append(store, stolen, 1, MODEL, clock),
        finish(store, stolen, clock),
        store.renew_lease(lease=stolen, now=clock.now, lease_seconds=9),
    ):
        with pytest.raises(SessionConflictError):
            await attempt
    assert [t.request for t in (await store.list_turns(key=bob, limit=9, cursor=None)).items] == [request]
    again = await store.begin_turn(new=new_turn(bob, clock.now))
    assert [turn.request for turn in again.history or ()] == [request]


async def test_a_repeat_by_key_finds_the_turn(store: Store, clock: SetClock, key: SessionKey) -> None:
    new = new_turn(key, clock.now, idempotency_key=ODD, body_hash="h")
    begun = await store.begin_turn(new=new)
    await append(store, held(begun), 1, MODEL, clock)
    # A client that names no session gets another one made up for each attempt.
    repeat = replace(new, turn_id="other", key=session_key(session_id="other"))
    during = await store.begin_turn(new=repeat)
    assert (during.lease, during.turn) == (None, await load(store, begun))
    assert during.session == await store.load_session(key=key)
    clock.pass_time(EXPIRED)
    assert (await store.begin_turn(new=replace(repeat, now=clock.now))).turn.status == "interrupted"
    await finish(store, held(begun), clock, 2)
    after = await store.begin_turn(new=replace(repeat, now=clock.now))
    assert (after.lease, after.turn.status) == (None, "completed")
    with pytest.raises(IdempotencyMismatchError):
        await store.begin_turn(new=replace(repeat, body_hash="i"))
    with pytest.raises(SessionNotFoundError):
        await store.load_session(key=repeat.key)


async def test_a_key_is_free_again_after_a_day(store: Store, clock: SetClock, key: SessionKey) -> None:
    new = new_turn(key, clock.now, idempotency_key="k", body_hash="h")
    first = await store.begin_turn(new=new)
    await finish(store, held(first), clock)
    almost = clock.pass_time(24 * 3600 - 1)
    assert (await store.begin_turn(new=replace(new, turn_id="t2", now=almost))).lease is None
    fresh = await store.begin_turn(new=replace(new, turn_id="t3", now=clock.pass_time(1), body_hash="other"))
    assert (fresh.lease is not None, fresh.turn.turn_id) == (True, "t3")
    assert (
        await store.begin_turn(new=replace(new, turn_id="t4", now=clock.now, body_hash="other"))
    ).turn.turn_id == "t3"


async def test_a_refused_turn_does_not_take_its_key(store: Store, clock: SetClock, key: SessionKey) -> None:
    running = await store.begin_turn(new=new_turn(key, clock.now))
    new = new_turn(key, clock.now, idempotency_key="k", body_hash="h")
    with pytest.raises(TurnInProgressError):
        await store.begin_turn(new=new)
    await finish(store, held(running), clock)
    assert (await store.begin_turn(new=new)).lease is not None


async def test_of_repeats_at_once_one_begins_and_the_rest_find_it(store: Store, clock: SetClock) -> None:
    results = await asyncio.gather(
        *(
            store.begin_turn(
                new=new_turn(session_key(session_id=f"s-{n}"), clock.now, idempotency_key="k", body_hash="h")
            )
            for n in range(20)
        )
    )
    assert sum(result.lease is not None for result in results) == 1
    assert len({result.turn.turn_id for result in results}) == 1
    assert len((await store.list_sessions(user_id="alice", limit=99, cursor=None)).items) == 1


async def test_a_key_of_a_deleted_session_finds_no_session(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    new = new_turn(key, clock.now, idempotency_key="k")
    await store.begin_turn(new=new)
    await store.delete_session(key=key, now=clock.now)
    with pytest.raises(SessionNotFoundError):
        await store.begin_turn(new=new)
    with pytest.raises(TurnNotFoundError):
        await store.load_turn(user_id="alice", turn_id=new.turn_id)


async def test_history_holds_the_newest_whole_turns_oldest_first(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    for number in range(6):
        # Three messages a turn: the user's, a reply, another reply.
        reply = ModelStep(
            parts=(TextPart(text=str(number)),), finish_reason="stop", usage=MODEL.usage, model="m"
        )
        await run_turn(store, key, clock.pass_time(1), (reply, DONE))
    for messages, numbers in ((100, [1, 2, 3, 4, 5, 6]), (7, [5, 6]), (6, [5, 6]), (3, [6]), (0, [6])):
        begun = await store.begin_turn(new=new_turn(key, clock.now, history_messages=messages))
        assert [turn.number for turn in begun.history or ()] == numbers
        assert all(len(turn.steps) == 4 and turn.status == "completed" for turn in begun.history or ())
        assert [turn.response[0] for turn in begun.history or ()] == [str(number - 1) for number in numbers]
        await store.delete_session(key=key, now=clock.now)
        key = session_key(session_id=f"again-{messages}")
        for number in range(6):
            reply = ModelStep(
                parts=(TextPart(text=str(number)),), finish_reason="stop", usage=MODEL.usage, model="m"
            )
            await run_turn(store, key, clock.pass_time(1), (reply, DONE))


async def test_a_turn_longer_than_the_history_comes_whole(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await run_turn(store, key, clock.now)
    await run_turn(store, key, clock.now, (MODEL,) * 30)
    begun = await store.begin_turn(new=new_turn(key, clock.now, history_messages=4))
    assert begun.history is not None
    assert [(turn.number, len(turn.steps)) for turn in begun.history] == [(2, 32)]
    assert begun.history[0] == await store.load_turn(user_id="alice", turn_id=begun.history[0].turn_id)


async def test_turns_are_listed_newest_first_with_their_steps(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    for _ in range(5):
        await run_turn(store, key, clock.now, (MODEL, TOOL))
    seen: list[Turn] = []
    cursor = None
    for _ in range(3):
        page = await store.list_turns(key=key, limit=2, cursor=cursor)
        seen += page.items
        cursor = page.next_cursor
    assert cursor is None
    assert [turn.number for turn in seen] == [5, 4, 3, 2, 1]
    assert seen[-1] == await store.load_turn(user_id="alice", turn_id=seen[-1].turn_id)
    with pytest.raises(InvalidRequestError):
        await store.list_turns(key=key, limit=2, cursor="nonsense")


async def test_a_session_without_turns_has_an_empty_list(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    page = await store.list_turns(key=key, limit=2, cursor=None)
    assert (page.items, page.next_cursor) == ((), None)


async def test_an_unknown_turn_is_not_found(store: Store) -> None:
    with pytest.raises(TurnNotFoundError):
        await store.load_turn(user_id="alice", turn_id="none")


async def test_events_are_stored_with_their_cause_in_order_or_not_at_all(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    lease = held(begun)
    await store.append_step(
        lease=lease, number=1, step=MODEL, now=clock.now, lease_seconds=9, events=(event("b"), event("a"))
    )
    with pytest.raises(SessionConflictError):
        await store.append_step(
            lease=lease, number=1, step=TOOL, now=clock.now, lease_seconds=9, events=(event("lost"),)
        )
    final = FinalStep(status="cancelled", finish_reason="cancelled")
    await store.finish_turn(lease=lease, number=2, steps=(final,), now=clock.now, events=(event("c"),))
    stored = await store.unpublished_events(limit=9)
    assert [each.event for each in stored] == [event("b"), event("a"), event("c")]
    assert {each.key for each in stored} == {key}
