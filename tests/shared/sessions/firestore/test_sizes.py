"""Large values: in parts beside their document, or refused; names of any kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import TooLargeError, TurnNotFoundError, UnprocessableError
from shared.keys import SessionKey
from shared.messages import TextPart
from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.firestore.client import Documents, Query
from shared.sessions.firestore.names import document_id
from shared.sessions.firestore.store import FirestoreStore
from shared.sessions.tool_call_port import NewToolCall, RecordedToolCall, ToolClaim
from shared.turn import ModelStep, TurnRequest
from tests.contracts.session_values import (
    COMPLETED,
    DONE,
    LEASE_SECONDS,
    TOOL,
    SetClock,
    held,
    new_turn,
    run_turn,
    session_key,
)

ALL_PARTS = Query(collection="parts", order="id", range=((">", ""),))


def said(text: str) -> ModelStep:
    return replace(DONE, parts=(TextPart(text=text),))


@pytest.mark.parametrize("size", [500_000, 899_000, 2_500_000])
async def test_steps_beyond_a_document_come_back_whole(
    store: FirestoreStore, clock: SetClock, key: SessionKey, size: int
) -> None:
    steps = [said(letter * size) for letter in "abc"]
    request = TurnRequest(message="m" * 400_000)
    begun = await store.begin_turn(new=new_turn(key, clock.now, request=request))
    for number, step in enumerate(steps, 1):
        await store.append_step(
            lease=held(begun), number=number, step=step, now=clock.now, lease_seconds=LEASE_SECONDS
        )
    await store.finish_turn(lease=held(begun), number=4, steps=(said("d" * size), COMPLETED), now=clock.now)
    turn = await store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)
    assert turn.request == request
    assert list(turn.steps[1:5]) == [*steps, said("d" * size)]
    assert (await store.list_turns(key=key, limit=5, cursor=None)).items == (turn,)
    assert (await store.begin_turn(new=new_turn(key, clock.now))).history == (turn,)


async def test_a_step_that_no_commit_takes_is_refused_and_the_turn_goes_on(
    store: FirestoreStore, clock: SetClock, key: SessionKey
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    for refused in ("x" * 9_000_000, "y" * 20_000_000):
        with pytest.raises(TooLargeError):
            await store.append_step(
                lease=held(begun), number=1, step=said(refused), now=clock.now, lease_seconds=LEASE_SECONDS
            )
    await store.finish_turn(lease=held(begun), number=1, steps=(DONE, COMPLETED), now=clock.now)


async def test_a_context_that_no_document_takes_is_refused_and_changes_nothing(
    store: FirestoreStore, clock: SetClock, key: SessionKey
) -> None:
    created = await store.create_session(key=key, title="t", context={"a": 1}, now=clock.now)
    with pytest.raises(TooLargeError):
        await store.patch_context(key=key, patch={"b": "x" * 1_000_000}, now=clock.now)
    assert await store.load_session(key=key) == created


async def test_a_rolled_back_turn_is_gone_at_once_and_its_parts_when_the_store_is_tidied(
    store: FirestoreStore, documents: Documents, clock: SetClock, key: SessionKey
) -> None:
    first = await run_turn(store, key, clock.now, (said("k" * 950_000),))
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    for number in range(1, 4):
        await store.append_step(
            lease=held(begun), number=number, step=said("x" * 950_000), now=clock.now, lease_seconds=9
        )
    assert await documents.count(ALL_PARTS) == 2 + 6
    await store.begin_turn(new=new_turn(key, clock.now, if_busy="rollback"))
    with pytest.raises(TurnNotFoundError):
        await store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)
    listed = (await store.list_turns(key=key, limit=9, cursor=None)).items
    assert begun.turn.turn_id not in [turn.turn_id for turn in listed]
    assert await store.tidy(now=clock.now + timedelta(days=2), limit=100) == 1
    assert await documents.count(ALL_PARTS) == 2
    kept = await store.load_turn(user_id="alice", turn_id=first.turn.turn_id)
    assert kept.steps[1] == said("k" * 950_000)


async def test_a_large_result_of_a_tool_comes_back_and_is_tidied_with_its_parts(
    store: FirestoreStore, documents: Documents, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    call = NewToolCall(
        key=key, call_id="c", name="n", arguments_hash="h", now=clock.now, lease_seconds=9, token=2**62 + 1
    )
    claim = await store.claim_tool_call(call=call)
    assert isinstance(claim, ToolClaim)
    result = replace(TOOL.result, result="r" * 2_000_000)
    await store.complete_tool_call(claim=claim, result=result)
    await store.complete_tool_call(claim=claim, result=result)
    recorded = await store.claim_tool_call(call=replace(call, token=7))
    assert isinstance(recorded, RecordedToolCall)
    assert recorded.result == result
    assert await store.tidy(now=clock.now + timedelta(hours=24), limit=100) == 1
    assert await documents.count(ALL_PARTS) == 0


async def test_large_bodies_are_sealed_anew_in_their_parts(
    firestore_url: str, clock: SetClock, key: SessionKey
) -> None:
    old, new = Keyring((b"o" * 32,)), Keyring((b"n" * 32, b"o" * 32))
    step = said("x" * 899_950)
    async with await FirestoreStore.open(firestore_url, clock=clock) as store:
        plain = await run_turn(store, key, clock.now, (step,))
    async with await FirestoreStore.open(firestore_url, codec=Codec(old), clock=clock) as store:
        sealed = await run_turn(store, key, clock.now, (step, step))
    async with await FirestoreStore.open(firestore_url, codec=Codec(new), clock=clock) as store:
        written, after = 0, None
        while True:
            done = await store.reseal(after=after, limit=1)
            written, after = written + done.written, done.after
            assert done.unreadable == 0
            if after is None:
                break
        # Title and context; of the turns the requests, the steps 0, the replies and the ends.
        assert written == 2 + 4 + 5
        assert (await store.reseal(after=None, limit=100)).written == 0
    only_new = Codec(Keyring((b"n" * 32,)))
    async with await FirestoreStore.open(firestore_url, codec=only_new, clock=clock) as store:
        for begun, replies in ((plain, (step,)), (sealed, (step, step))):
            turn = await store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)
            assert turn.steps[1:-1] == replies


ODD_NAMES = [
    "/",
    "..",
    ".",
    "__x__",
    "a/b/../c",
    "\x00",
    "\ud800",
    "\\d800",
    "é" * 128,
    "%2F",
    " ",
    "\U0001f916",
]


async def test_names_of_any_kind_are_apart(store: FirestoreStore, clock: SetClock) -> None:
    for name in ODD_NAMES:
        begun = await run_turn(store, session_key(name, name), clock.now)
        loaded = await store.load_turn(user_id=name, turn_id=begun.turn.turn_id)
        assert loaded.key == session_key(name, name)
    for name in ODD_NAMES:
        page = await store.list_sessions(user_id=name, limit=9, cursor=None)
        assert [session.key for session in page.items] == [session_key(name, name)]


def test_ids_of_different_names_differ() -> None:
    assert document_id("a", "bc") != document_id("ab", "c")
    assert document_id("a") != document_id("a", "")
    assert document_id("\ud800") != document_id("\\d800")
    assert document_id("x" * 512)
    with pytest.raises(UnprocessableError):
        document_id("x" * 513)
