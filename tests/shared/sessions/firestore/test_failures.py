"""What the store does when Firestore does not: answers lost, a server that is gone, silent, or back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from shared.errors import ConfigurationError, StoreUnavailableError
from shared.keys import SessionKey
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.firestore.store import FirestoreStore
from shared.sessions.tool_call_port import NewToolCall, ToolClaim
from shared.turn import Step
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    LEASE_SECONDS,
    MODEL,
    TOOL,
    SetClock,
    artifact,
    event,
    held,
    new_turn,
    run_turn,
    session_key,
)
from tests.servers.firestore import FirestoreServer, firestore_server, new_database_url


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FirestoreServer]:
    """A server that the test may kill, known to the client library."""
    with firestore_server() as server:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", server.host)
        yield server


@pytest.fixture
async def own_store(own_server: FirestoreServer, clock: SetClock) -> AsyncIterator[FirestoreStore]:
    """A store on that server."""
    assert own_server.port
    async with await FirestoreStore.open(new_database_url(), clock=clock) as opened:
        yield opened


@pytest.fixture
async def shaky(own_server: FirestoreServer, clock: SetClock) -> AsyncIterator[FirestoreStore]:
    """A store whose every sixth commit is done without an answer, and another not done at all."""
    assert own_server.port
    async with await FirestoreStore.open(new_database_url("shaky"), clock=clock) as opened:
        yield opened


async def test_a_commit_without_an_answer_is_done_once(
    shaky: FirestoreStore, clock: SetClock, key: SessionKey
) -> None:
    for number in range(8):
        begun = await shaky.begin_turn(new=new_turn(key, clock.now, idempotency_key=f"k-{number}"))
        lease = held(begun)
        assert begun.turn.number == number + 1
        steps: tuple[Step, ...] = (MODEL, TOOL)
        for step_number, step in enumerate(steps, 1):
            await shaky.append_step(
                lease=lease,
                number=step_number,
                step=step,
                now=clock.now,
                lease_seconds=LEASE_SECONDS,
                events=(event(f"{number}-{step_number}"),),
            )
        assert await shaky.add_version(
            artifact=replace(artifact(key, clock.now, version=number + 1), turn_id=lease.turn_id),
            max_files=3,
        )
        await shaky.finish_turn(
            lease=lease, number=3, steps=(DONE, COMPLETED), now=clock.now, events=(event(f"{number}-3"),)
        )
    turns = (await shaky.list_turns(key=key, limit=99, cursor=None)).items
    assert [(turn.number, turn.status, len(turn.steps)) for turn in turns] == [
        (number, "completed", 5) for number in range(8, 0, -1)
    ]
    # One for each begin, step and end.
    assert (await shaky.load_session(key=key)).revision == 8 * 4
    outgoing = await shaky.unpublished_events(limit=99)
    assert [each.event.event_id for each in outgoing] == [
        f"{n}-{step}" for n in range(8) for step in (1, 2, 3)
    ]


async def test_counters_count_once(shaky: FirestoreStore, clock: SetClock, key: SessionKey) -> None:
    for number in range(12):
        await shaky.reserve_usage(
            user_id="alice",
            reservation_id=f"r-{number}",
            charge=Charge(tokens=10),
            limits=DailyLimits(tokens=1000),
            now=clock.now,
            lease_seconds=60,
        )
        await shaky.settle_usage(
            user_id="alice", reservation_id=f"r-{number}", charge=Charge(tokens=3), now=clock.now
        )
        await shaky.take_permit(user_id="alice", kind="k", limit=12, window_seconds=3600, now=clock.now)
    assert (await shaky.usage_today(user_id="alice", now=clock.now)).tokens == 36


async def test_claims_and_creations_are_the_callers_own(
    shaky: FirestoreStore, clock: SetClock, key: SessionKey
) -> None:
    for number in range(9):
        this = session_key(session_id=f"s-{number}")
        await shaky.create_session(key=this, title="", context={}, now=clock.now)
        call = NewToolCall(
            key=this, call_id="c", name="n", arguments_hash="h", now=clock.now, lease_seconds=9, token=number
        )
        claim = await shaky.claim_tool_call(call=call)
        assert isinstance(claim, ToolClaim)
        if number % 2:
            await shaky.release_tool_call(claim=claim)
        else:
            await shaky.complete_tool_call(claim=claim, result=TOOL.result)
        await shaky.delete_session(key=this, now=clock.now)


async def test_a_killed_server_is_unavailable_soon_and_used_again_when_it_is_back(
    own_server: FirestoreServer, own_store: FirestoreStore, clock: SetClock, key: SessionKey
) -> None:
    begun = await own_store.begin_turn(new=new_turn(key, clock.now))
    own_server.kill()
    started = time.monotonic()
    for attempt in (
        own_store.load_session(key=key),
        own_store.append_step(lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=9),
        own_store.begin_turn(new=new_turn(session_key("bob"), clock.now)),
        own_store.check(),
    ):
        with pytest.raises(StoreUnavailableError) as down:
            await attempt
        assert down.value.retry_after is not None
    assert time.monotonic() - started < 30
    own_server.start()
    # Its data was in memory: what counts is that it is asked again, without a hand.
    async with asyncio.timeout(30):
        while True:
            try:
                await run_turn(own_store, key, clock.now)
                break
            except StoreUnavailableError:
                continue
    assert (await own_store.load_session(key=key)).title == "Build a bot"


async def test_a_server_killed_under_many_calls_ends_them_all(
    own_server: FirestoreServer, own_store: FirestoreStore, clock: SetClock
) -> None:
    keys = [session_key(session_id=f"s-{n}") for n in range(30)]
    calls = [asyncio.create_task(run_turn(own_store, key, clock.now)) for key in keys]
    async with asyncio.timeout(30):
        await calls[0]
        await asyncio.to_thread(own_server.kill)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {type(failure) for failure in failures} <= {StoreUnavailableError}


async def test_a_silent_server_is_unavailable_within_30_seconds(
    own_server: FirestoreServer,
    own_store: FirestoreStore,
    clock: SetClock,
    key: SessionKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.sessions.firestore.client.CALL_SECONDS", 0.3)
    monkeypatch.setattr("shared.sessions.firestore.runner.TRANSACTION_SECONDS", 1.0)
    begun = await own_store.begin_turn(new=new_turn(key, clock.now))
    own_server.freeze()
    try:
        started = time.monotonic()
        for attempt in (
            own_store.load_session(key=key),
            own_store.append_step(lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=9),
        ):
            with pytest.raises(StoreUnavailableError):
                await attempt
        assert time.monotonic() - started < 30
    finally:
        own_server.thaw()
    async with asyncio.timeout(20):
        while True:
            try:
                # The step may have been written when the server came back to itself: once.
                await own_store.append_step(
                    lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=9
                )
                break
            except StoreUnavailableError:
                continue
    turn = await own_store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)
    assert turn.steps[1:] == (MODEL,)


def test_the_deadlines_leave_room_within_30_seconds() -> None:
    from shared.sessions.firestore import client, runner

    assert client.CALL_SECONDS == 10
    assert runner.TRANSACTION_SECONDS == 20
    assert runner.WHOLE_SECONDS < 30


async def test_nobody_listening_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    with pytest.raises(StoreUnavailableError):
        await FirestoreStore.open(new_database_url())


async def test_a_closed_store_says_so(store: FirestoreStore, clock: SetClock, key: SessionKey) -> None:
    await store.close()
    for attempt in (store.check(), store.load_session(key=key), run_turn(store, key, clock.now)):
        with pytest.raises(StoreUnavailableError):
            await attempt
    await store.close()


async def test_closing_lets_what_runs_end(firestore_url: str, clock: SetClock) -> None:
    store = await FirestoreStore.open(firestore_url)
    keys = [session_key(session_id=f"s-{n}") for n in range(20)]
    begun = [asyncio.create_task(store.begin_turn(new=new_turn(key, clock.now))) for key in keys]
    await asyncio.sleep(0)
    await store.close()
    assert all(turn.lease is not None for turn in await asyncio.gather(*begun))
    async with await FirestoreStore.open(firestore_url) as again:
        assert len((await again.list_sessions(user_id="alice", limit=99, cursor=None)).items) == 20


@pytest.mark.parametrize(
    "url",
    ["firestore://", "firestore:///d", "firestore://p/d/e", "firestore://user:secret@p/d", "firestore://P"],
)
async def test_a_wrong_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        await FirestoreStore.open(url)
    assert "secret" not in refused.value.message
