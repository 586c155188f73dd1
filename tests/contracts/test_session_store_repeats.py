"""Every write, repeated with the same arguments, has one effect and the same answer: over every backend."""

from __future__ import annotations

import pytest

from shared.errors import SessionConflictError
from shared.keys import SessionKey
from shared.sessions.port import Store
from tests.contracts.session_values import COMPLETED, DONE, MODEL, TOOL, SetClock, artifact, held
from tests.contracts.store_writes import CASES, Ground, seen
from tests.contracts.turn_steps import append, begin, finish


@pytest.mark.parametrize("name", CASES)
async def test_a_repeat_has_no_further_effect_and_the_same_answer(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey, name: str
) -> None:
    write = await CASES[name](Ground(store, clock, key))
    before = await seen(store, key)
    answer = await write(store)
    after = await seen(store, key)
    assert name in UNSEEN or after != before
    for again in (store, other_store):
        repeated = await write(again)
        # Also equal where a number is not equal to itself.
        assert repr(repeated) == repr(answer)
        assert await seen(store, key) == after


# Writes whose effect shows only in what comes after.
UNSEEN = ("renew_lease", "add_events of a turn", "release_tool_call")


async def test_what_only_looks_like_a_repeat_is_none(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await begin(store, key, clock)
    await append(store, held(begun), 1, MODEL, clock)
    with pytest.raises(SessionConflictError):
        await append(store, held(begun), 1, TOOL, clock)
    await finish(store, begun, clock, 2)
    for number, steps in ((2, (COMPLETED,)), (1, (COMPLETED,)), (2, (TOOL, COMPLETED))):
        with pytest.raises(SessionConflictError):
            await store.finish_turn(lease=held(begun), number=number, steps=steps, now=clock.now)
    with pytest.raises(SessionConflictError):
        await store.finish_turn(lease=held(begun), number=2, steps=(DONE, COMPLETED), now=clock.pass_time(1))
    first = artifact(key, clock.now)
    assert await store.add_version(artifact=first, max_files=9)
    assert not await store.add_version(artifact=artifact(key, clock.now), max_files=9)
