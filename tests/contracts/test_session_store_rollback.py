"""`"if_busy": "rollback"`: as if the running turn had never been; the contract, over every backend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.artifact import Artifact
from shared.errors import ArtifactNotFoundError, SessionConflictError, TurnNotFoundError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn
from tests.contracts.session_values import MODEL, SetClock, artifact, event, held, new_turn, run_turn
from tests.contracts.turn_steps import append, begin, claim, finish, load, pause


async def save(
    store: Store, key: SessionKey, clock: SetClock, name: str, version: int, *, by: BegunTurn | None = None
) -> bool:
    saved_by = by.turn.turn_id if by is not None else None
    record = replace(artifact(key, clock.now, name, version), turn_id=saved_by)
    return await store.add_version(artifact=record, max_files=3, events=(event(f"{name}-{version}"),))


async def versions(store: Store, key: SessionKey, name: str) -> list[int]:
    found = await store.list_versions(key=ArtifactKey(session=key, filename=name))
    return [each.version for each in found]


async def listed(store: Store, key: SessionKey) -> list[tuple[str, int]]:
    return [(each.filename, each.version) for each in await store.list_artifacts(session=key)]


async def newest(store: Store, key: SessionKey, name: str) -> Artifact | None:
    return await store.newest(key=ArtifactKey(session=key, filename=name))


async def test_the_turn_is_gone_and_the_new_one_begins_before_the_line(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    earlier = await run_turn(store, key, clock.now)
    first = await begin(store, key, clock)
    await append(store, held(first), 1, MODEL, clock, events=(event("a"),))
    waiting = await begin(store, key, clock, if_busy="wait")
    second = await begin(store, key, clock, if_busy="rollback")
    assert [turn.turn_id for turn in second.history or ()] == [earlier.turn.turn_id]
    with pytest.raises(TurnNotFoundError):
        await load(store, first)
    with pytest.raises(SessionConflictError):
        await finish(store, first, clock, 2)
    assert await store.lost_leases(leases=(held(first), held(second))) == (held(first),)
    await finish(store, second, clock)
    assert await store.unpublished_events(limit=9) == ()
    assert await claim(store, clock, waiting) is not None
    turns = (await store.list_turns(key=key, limit=9, cursor=None)).items
    assert [turn.turn_id for turn in turns] == [
        waiting.turn.turn_id,
        second.turn.turn_id,
        earlier.turn.turn_id,
    ]


async def test_a_paused_turn_is_rolled_back_too(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    await pause(store, first, clock)
    second = await begin(store, key, clock, if_busy="rollback")
    assert (second.lease is not None, second.history) == (True, ())
    await append(store, held(second), 1, MODEL, clock)


async def test_its_key_stays_taken(store: Store, clock: SetClock, key: SessionKey) -> None:
    new = new_turn(key, clock.now, idempotency_key="k", body_hash="h")
    first = await store.begin_turn(new=new)
    second = await begin(store, key, clock, if_busy="rollback")
    for repeat in (new, replace(new, turn_id="other"), replace(new, turn_id="third", if_busy="interrupt")):
        with pytest.raises(TurnNotFoundError):
            await store.begin_turn(new=repeat)
    assert (await load(store, second)).status == "running"
    assert await store.lost_leases(leases=(held(first), held(second))) == (held(first),)


async def test_the_title_is_the_first_message_that_stays(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await begin(store, key, clock)
    second = await begin(store, key, clock, if_busy="rollback", default_title="Another")
    assert second.session.title == "Another"
    await store.set_title(key=key, title="Mine", now=clock.pass_time(1))
    third = await begin(store, key, clock, if_busy="rollback", default_title="Third")
    assert third.session.title == "Mine"


async def test_its_versions_go_and_those_of_others_stay(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    earlier = await begin(store, key, clock)
    assert await save(store, key, clock, "kept", 1, by=earlier)
    await finish(store, earlier, clock)
    first = await begin(store, key, clock)
    assert await save(store, key, clock, "kept", 2, by=first)
    assert await save(store, key, clock, "kept", 3, by=first)
    assert await save(store, key, clock, "mixed", 1, by=first)
    assert await save(store, key, clock, "mixed", 2)
    assert await save(store, key, clock, "new", 1, by=first)
    assert await listed(store, key) == [("kept", 3), ("mixed", 2), ("new", 1)]
    await begin(store, key, clock, if_busy="rollback")
    assert await listed(store, key) == [("kept", 1), ("mixed", 2)]
    assert await versions(store, key, "kept") == [1]
    assert await versions(store, key, "mixed") == [2]
    assert await newest(store, key, "new") is None
    gone = ArtifactKey(session=key, filename="new")
    for attempt in (
        store.list_versions(key=gone),
        store.load_version(key=gone, version=None),
        store.load_version(key=gone, version=1),
        store.load_version(key=ArtifactKey(session=key, filename="kept"), version=3),
        store.delete_artifact(key=gone, now=clock.now),
    ):
        with pytest.raises(ArtifactNotFoundError):
            await attempt
    visible = [each.event.event_id for each in await store.unpublished_events(limit=9)]
    assert visible == ["kept-1", "mixed-2"]


async def test_a_number_that_was_taken_is_not_given_again(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    assert await save(store, key, clock, "f", 1, by=first)
    assert await save(store, key, clock, "f", 2, by=first)
    second = await begin(store, key, clock, if_busy="rollback")
    for number in (1, 2):
        assert not await save(store, key, clock, "f", number, by=second)
    assert await save(store, key, clock, "f", 3, by=second)
    assert await versions(store, key, "f") == [3]


async def test_a_file_that_the_turn_brought_back_is_deleted_again(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    for name in ("back", "dropped"):
        assert await save(store, key, clock, name, 1)
    await store.delete_artifact(key=ArtifactKey(session=key, filename="back"), now=clock.now)
    first = await begin(store, key, clock)
    for number in (2, 3):
        assert await save(store, key, clock, "back", number, by=first)
    assert await save(store, key, clock, "dropped", 2, by=first)
    await store.delete_artifact(key=ArtifactKey(session=key, filename="dropped"), now=clock.now)
    await begin(store, key, clock, if_busy="rollback")
    assert await listed(store, key) == []
    back = await newest(store, key, "back")
    assert (back.version if back else None) == 1


async def test_files_that_went_leave_room(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await begin(store, key, clock)
    for name in ("a", "b", "c"):
        assert await save(store, key, clock, name, 1, by=first)
    second = await begin(store, key, clock, if_busy="rollback")
    for name in ("d", "e"):
        assert await save(store, key, clock, name, 1, by=second)
    assert await save(store, key, clock, "a", 2, by=second)
    assert await listed(store, key) == [("a", 2), ("d", 1), ("e", 1)]


async def test_what_a_tool_of_the_turn_does_too_late_is_refused(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    first = await begin(store, key, clock)
    await begin(store, key, clock, if_busy="rollback")
    with pytest.raises(SessionConflictError):
        await save(store, key, clock, "late", 1, by=first)
    with pytest.raises(SessionConflictError):
        await store.add_events(key=key, events=(event("late"),), now=clock.now, turn_id=first.turn.turn_id)
    assert await listed(store, key) == []
    assert await store.unpublished_events(limit=9) == ()
