"""The contracts of `ToolCallStore` and `EventOutbox`, over every backend."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.errors import SessionConflictError, SessionNotFoundError
from shared.keys import SessionKey
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import Store
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim
from tests.contracts.session_values import FAULT, ODD, TOOL, SetClock, event, session_key

LEASE = 30.0
TOKENS = count(1)


@pytest.fixture
async def session(store: Store, clock: SetClock, key: SessionKey) -> SessionKey:
    """A session that is there."""
    await store.create_session(key=key, title="", context={}, now=clock.now)
    return key


def new_call(key: SessionKey, clock: SetClock, **changes: Any) -> NewToolCall:
    call = NewToolCall(
        key=key,
        call_id="c1",
        name="save_artifact",
        arguments_hash="h1",
        now=clock.now,
        lease_seconds=LEASE,
        token=next(TOKENS),
    )
    return replace(call, **changes)


async def claimed(store: Store, call: NewToolCall) -> ToolClaim:
    claim = await store.claim_tool_call(call=call)
    assert isinstance(claim, ToolClaim)
    return claim


async def recorded(store: Store, call: NewToolCall) -> RecordedToolCall:
    record = await store.claim_tool_call(call=call)
    assert isinstance(record, RecordedToolCall)
    return record


async def test_an_id_is_claimed_once_and_its_result_kept(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    call = new_call(session, clock)
    claim = await claimed(store, call)
    running = await recorded(store, new_call(session, clock))
    assert (running.name, running.arguments_hash, running.result) == ("save_artifact", "h1", None)
    assert (running.lease_until - clock.now).total_seconds() == LEASE
    await store.complete_tool_call(claim=claim, result=TOOL.result)
    clock.pass_time(10 * LEASE)
    finished = await recorded(store, new_call(session, clock))
    assert finished.result == TOOL.result
    assert await store.load_tool_call(key=session, call_id="c1") == finished
    other = await recorded(store, new_call(session, clock, arguments_hash="h2", name="edit_artifact"))
    assert other == finished


async def test_of_many_claims_at_once_one_wins(store: Store, clock: SetClock, session: SessionKey) -> None:
    outcomes = await asyncio.gather(
        *(store.claim_tool_call(call=new_call(session, clock)) for _ in range(10))
    )
    assert sum(isinstance(outcome, ToolClaim) for outcome in outcomes) == 1
    clock.pass_time(LEASE)
    outcomes = await asyncio.gather(
        *(store.claim_tool_call(call=new_call(session, clock)) for _ in range(10))
    )
    assert sum(isinstance(outcome, ToolClaim) for outcome in outcomes) == 1


async def test_the_claim_of_a_dead_call_is_taken_over_when_its_lease_has_run_out(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    dead = await claimed(store, new_call(session, clock))
    clock.pass_time(LEASE - 0.001)
    assert (await recorded(store, new_call(session, clock))).result is None
    clock.pass_time(0.001)
    assert (await recorded(store, new_call(session, clock, arguments_hash="h2"))).arguments_hash == "h1"
    assert (await recorded(store, new_call(session, clock, name="edit_artifact"))).result is None
    claim = await claimed(store, new_call(session, clock))
    with pytest.raises(SessionConflictError):
        await store.complete_tool_call(claim=dead, result=FAULT.result)
    await store.release_tool_call(claim=dead)
    await store.complete_tool_call(claim=claim, result=TOOL.result)
    assert (await recorded(store, new_call(session, clock))).result == TOOL.result


async def test_a_released_id_is_free_and_a_finished_one_is_not_released(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    first = await claimed(store, new_call(session, clock))
    await store.release_tool_call(claim=first)
    assert await store.load_tool_call(key=session, call_id="c1") is None
    second = await claimed(store, new_call(session, clock, arguments_hash="h2"))
    with pytest.raises(SessionConflictError):
        await store.complete_tool_call(claim=first, result=FAULT.result)
    await store.complete_tool_call(claim=second, result=FAULT.result)
    await store.release_tool_call(claim=second)
    with pytest.raises(SessionConflictError):
        await store.complete_tool_call(claim=second, result=TOOL.result)
    assert (await recorded(store, new_call(session, clock))).result == FAULT.result


async def test_ids_belong_to_one_session_of_one_user(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    others = (session_key("bob"), session_key("alice", "s-2"))
    for other in others:
        with pytest.raises(SessionNotFoundError):
            await store.claim_tool_call(call=new_call(other, clock))
        await store.create_session(key=other, title="", context={}, now=clock.now)
        claim = await claimed(store, new_call(other, clock))
        await store.complete_tool_call(claim=claim, result=FAULT.result)
    assert await store.load_tool_call(key=session, call_id="c1") is None
    await claimed(store, new_call(session, clock))
    odd = replace(new_call(session, clock), call_id=ODD, name=ODD)
    await claimed(store, odd)
    assert (await recorded(store, replace(odd, token=next(TOKENS)))).name == ODD


async def test_a_deleted_session_takes_no_calls(store: Store, clock: SetClock, session: SessionKey) -> None:
    claim = await claimed(store, new_call(session, clock))
    await store.delete_session(key=session, now=clock.now)
    with pytest.raises(SessionNotFoundError):
        await store.claim_tool_call(call=new_call(session, clock))
    # The tool has run: its result is kept, whatever became of the session.
    await store.complete_tool_call(claim=claim, result=TOOL.result)


async def outgoing(store: Store) -> list[OutgoingEvent]:
    return [each.event for each in await store.unpublished_events(limit=99)]


async def test_an_event_is_stored_once_by_its_id(store: Store, clock: SetClock, session: SessionKey) -> None:
    await asyncio.gather(
        *(store.add_events(key=session, events=(event("e-1"),), now=clock.now) for _ in range(5))
    )
    changed = replace(event("e-1"), data={"text": "another"})
    await store.add_events(key=session, events=(changed, event("e-2")), now=clock.now)
    assert await outgoing(store) == [event("e-1"), event("e-2")]


async def test_events_of_no_session_are_not_stored(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    with pytest.raises(SessionNotFoundError):
        await store.add_events(key=session_key("bob"), events=(event(),), now=clock.now)
    await store.delete_session(key=session, now=clock.now)
    with pytest.raises(SessionNotFoundError):
        await store.add_events(key=session, events=(event(),), now=clock.now)
    assert await outgoing(store) == []
