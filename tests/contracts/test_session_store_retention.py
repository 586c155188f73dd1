"""The contract of `Retention`, over every backend: what may go, what stays, and that the two never meet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.artifact import Artifact
from shared.errors import (
    ArtifactNotFoundError,
    InvalidRequestError,
    SessionConflictError,
    SessionNotFoundError,
)
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.port import Store
from shared.sessions.retention_port import KeptFile, RetentionPolicy
from tests.contracts.planted import plant
from tests.contracts.session_values import ODD, SetClock, artifact, held, new_turn, run_turn, session_key

DAY = 86_400.0
KEEP = timedelta(days=30)
MAIN = "main.py"


async def add(
    store: Store, clock: SetClock, key: SessionKey, version: int, name: str = MAIN, turn_id: str | None = None
) -> Artifact:
    made = replace(artifact(key, clock.now, name, version), turn_id=turn_id)
    assert await store.add_version(artifact=made, max_files=100)
    return made


async def made_session(store: Store, clock: SetClock, key: SessionKey) -> None:
    await store.create_session(key=key, title="t", context={"a": 1}, now=clock.now)


async def all_files(store: Store, limit: int = 2) -> list[KeptFile]:
    found: list[KeptFile] = []
    after: str | None = None
    for _ in range(100):
        page = await store.list_files(after=after, limit=limit)
        found += page.files
        after = page.after
        if after is None:
            return found
    raise AssertionError("the files do not come to an end")


async def remove(store: Store, clock: SetClock, key: SessionKey, name: str = MAIN) -> tuple[str, ...]:
    policy = RetentionPolicy(now=clock.now, keep=KEEP)
    return await store.remove_versions(key=ArtifactKey(session=key, filename=name), policy=policy)


async def numbers(store: Store, key: SessionKey, name: str = MAIN) -> list[int]:
    versions = await store.list_versions(key=ArtifactKey(session=key, filename=name))
    return [each.version for each in versions]


async def deleted_sessions(store: Store) -> set[SessionKey]:
    found: set[SessionKey] = set()
    after: str | None = None
    for _ in range(100):
        page = await store.list_deleted_sessions(after=after, limit=2)
        found |= set(page.sessions)
        after = page.after
        if after is None:
            return found
    raise AssertionError("the sessions do not come to an end")


async def empty(store: Store, clock: SetClock, key: SessionKey, limit: int = 2) -> list[str]:
    objects: list[str] = []
    for _ in range(100):
        done = await store.empty_session(key=key, now=clock.now, limit=limit)
        objects += done.object_keys
        if done.state == "empty":
            return objects
    raise AssertionError("the session does not become empty")


async def test_all_files_of_all_users_are_gone_through_once(store: Store, clock: SetClock) -> None:
    keys = [session_key(user, session) for user in ("alice", ODD) for session in ("s-1", "s-2", "s-3")]
    for key in keys:
        await made_session(store, clock, key)
        for name in ("a.py", "b/c.py"):
            await add(store, clock, key, 1, name)
    files = await all_files(store)
    assert len(files) == 12
    assert {(file.key.session, file.key.filename) for file in files} == {
        (key, name) for key in keys for name in ("a.py", "b/c.py")
    }
    assert [each.version for each in files[0].versions] == [1]
    assert files[0].versions[0].created_at == clock.now
    with pytest.raises(InvalidRequestError):
        await store.list_files(after="no place", limit=2)


async def test_old_versions_go_and_the_newest_stays_however_old(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    gone = [(await add(store, clock, key, number)).object_key for number in (1, 2)]
    newest = await add(store, clock, key, 3)
    clock.pass_time(30 * DAY - 1)
    assert await remove(store, clock, key) == ()
    clock.pass_time(1)
    assert sorted(await remove(store, clock, key)) == sorted(gone)
    assert await remove(store, clock, key) == ()
    assert await numbers(store, key) == [3]
    assert await store.load_version(key=newest.key, version=None) == newest
    with pytest.raises(ArtifactNotFoundError):
        await store.load_version(key=newest.key, version=1)
    assert await store.list_artifacts(session=key) == (newest,)
    # A number is not given again.
    assert not await store.add_version(artifact=artifact(key, clock.now, MAIN, 1), max_files=100)
    assert await store.add_version(artifact=artifact(key, clock.now, MAIN, 4), max_files=100)


async def test_what_was_the_newest_a_moment_ago_stays_for_its_readers(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    old = await add(store, clock, key, 1)
    clock.pass_time(40 * DAY)
    await add(store, clock, key, 2)
    assert await remove(store, clock, key) == ()
    clock.pass_time(3599)
    assert await remove(store, clock, key) == ()
    clock.pass_time(1)
    assert await remove(store, clock, key) == (old.object_key,)


async def test_what_a_rollback_needs_stays(store: Store, clock: SetClock, key: SessionKey) -> None:
    await made_session(store, clock, key)
    old = await add(store, clock, key, 1)
    clock.pass_time(40 * DAY)
    begun = await store.begin_turn(new=replace(new_turn(key, clock.now), lease_seconds=10 * DAY))
    await add(store, clock, key, 2, turn_id=begun.turn.turn_id)
    clock.pass_time(DAY)
    assert await remove(store, clock, key) == ()
    await store.begin_turn(new=new_turn(key, clock.now, if_busy="rollback"))
    assert await store.load_version(key=old.key, version=None) == old
    assert await remove(store, clock, key) == ()


async def test_a_version_of_an_ended_turn_counts(store: Store, clock: SetClock, key: SessionKey) -> None:
    await made_session(store, clock, key)
    for number in (1, 2):
        begun = await store.begin_turn(new=new_turn(key, clock.now))
        await add(store, clock, key, number, turn_id=begun.turn.turn_id)
        await store.stop_turn(
            user_id=key.user_id, turn_id=begun.turn.turn_id, status="interrupted", now=clock.now
        )
    clock.pass_time(40 * DAY)
    # The last turn may yet be resumed, and then rolled back.
    assert await remove(store, clock, key) == ()
    await run_turn(store, key, clock.now)
    assert len(await remove(store, clock, key)) == 1
    assert await numbers(store, key) == [2]


async def test_a_deleted_file_goes_whole_after_its_time_and_keeps_its_numbers(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    for number in (1, 2):
        await add(store, clock, key, number)
    file = ArtifactKey(session=key, filename=MAIN)
    clock.pass_time(40 * DAY)
    await store.delete_artifact(key=file, now=clock.now)
    assert len(await remove(store, clock, key)) == 1
    assert await numbers(store, key) == [2]
    clock.pass_time(30 * DAY)
    assert len(await remove(store, clock, key)) == 1
    assert await store.newest(key=file) is None
    with pytest.raises(ArtifactNotFoundError):
        await store.list_versions(key=file)
    assert not await store.add_version(artifact=artifact(key, clock.now, MAIN, 2), max_files=100)
    assert await store.add_version(artifact=artifact(key, clock.now, MAIN, 3), max_files=100)
    assert await numbers(store, key) == [3]


async def test_a_held_session_keeps_everything(store: Store, clock: SetClock, key: SessionKey) -> None:
    await made_session(store, clock, key)
    for number in (1, 2):
        await add(store, clock, key, number)
    clock.pass_time(40 * DAY)
    await store.hold_session(key=key, held=True, now=clock.now)
    await store.hold_session(key=key, held=True, now=clock.now)
    assert [file.is_held for file in await all_files(store)] == [True]
    assert await remove(store, clock, key) == ()
    await store.delete_session(key=key, now=clock.now)
    assert await deleted_sessions(store) == set()
    assert (await store.empty_session(key=key, now=clock.now, limit=9)).state == "spared"
    assert [len(file.versions) for file in await all_files(store)] == [2]
    await store.hold_session(key=key, held=False, now=clock.now)
    assert await deleted_sessions(store) == {key}
    assert len(await empty(store, clock, key)) == 2
    for absent in (session_key("alice", "none"), session_key("bob"), key):
        with pytest.raises(SessionNotFoundError):
            await store.hold_session(key=absent, held=True, now=clock.now)


async def test_a_deleted_session_is_emptied_in_steps_and_its_id_stays_taken(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    other = session_key("bob", key.session_id)
    objects = []
    for each in (key, other):
        await made_session(store, clock, each)
        await run_turn(store, each, clock.now)
        for name in ("a.py", "b.py", "c.py"):
            for number in (1, 2):
                made = await add(store, clock, each, number, name)
                objects.append(made.object_key)
    await store.delete_session(key=key, now=clock.now)
    assert await deleted_sessions(store) == {key}
    first = await store.empty_session(key=key, now=clock.now, limit=2)
    assert first.state == "more"
    rest = await empty(store, clock, key)
    assert sorted([*first.object_keys, *rest]) == sorted(objects[:6])
    assert await deleted_sessions(store) == set()
    assert (await store.empty_session(key=key, now=clock.now, limit=2)).object_keys == ()
    assert {file.key.session for file in await all_files(store)} == {other}
    with pytest.raises(SessionConflictError):
        await made_session(store, clock, key)
    with pytest.raises(SessionNotFoundError):
        await store.begin_turn(new=new_turn(key, clock.now))
    assert len((await store.list_turns(key=other, limit=9, cursor=None)).items) == 1
    assert len(await store.list_artifacts(session=other)) == 3


async def test_a_live_session_is_never_emptied(store: Store, clock: SetClock) -> None:
    marks = await plant(store, clock)
    assert marks.given
    key = SessionKey(user_id="alice", session_id="s-planted")
    before = await store.list_turns(key=key, limit=50, cursor=None)
    emptied = await store.empty_session(key=key, now=clock.now, limit=50)
    assert (emptied.object_keys, emptied.state) == ((), "spared")
    assert await store.list_turns(key=key, limit=50, cursor=None) == before
    assert (await store.load_session(key=key)).title == marks.given[0]
    assert await deleted_sessions(store) == set()


async def test_two_that_empty_one_session_give_each_object_once(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    made = [await add(store, clock, key, 1, f"f{number}.py") for number in range(6)]
    await store.delete_session(key=key, now=clock.now)
    one, two = await asyncio.gather(empty(store, clock, key), empty(other_store, clock, key))
    assert sorted([*one, *two]) == sorted(each.object_key for each in made)


async def test_recorded_objects_are_those_that_a_version_names(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    first, second = [await add(store, clock, key, number) for number in (1, 2)]
    asked = (first.object_key, second.object_key, "artifacts/s/none/1", f"{first.object_key}0")
    assert await store.recorded_objects(object_keys=asked) == {first.object_key, second.object_key}
    clock.pass_time(40 * DAY)
    await remove(store, clock, key)
    assert await store.recorded_objects(object_keys=asked) == {second.object_key}
    assert await store.recorded_objects(object_keys=()) == frozenset()


async def test_a_place_of_work_is_kept_until_its_end(store: Store, other_store: Store) -> None:
    assert await store.load_place(name="retention") is None
    await store.save_place(name="retention", place="files:a")
    await store.save_place(name="retention", place="files:b")
    assert await other_store.load_place(name="retention") == "files:b"
    assert await store.load_place(name="else") is None
    await store.save_place(name="retention", place=None)
    await store.save_place(name="retention", place=None)
    assert await store.load_place(name="retention") is None


async def test_a_save_and_retention_at_once_leave_the_newest(
    store: Store, other_store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    for number in (1, 2, 3):
        await add(store, clock, key, number)
    clock.pass_time(40 * DAY)
    removed, _ = await asyncio.gather(remove(other_store, clock, key), add(store, clock, key, 4))
    assert len(removed) == 2
    assert await numbers(store, key) == [4, 3]
    assert (await store.load_version(key=ArtifactKey(session=key, filename=MAIN), version=None)).version == 4


async def test_a_step_of_a_running_turn_goes_on_beside_retention(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await made_session(store, clock, key)
    for number in (1, 2):
        await add(store, clock, key, number)
    clock.pass_time(40 * DAY)
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    assert len(await remove(store, clock, key)) == 1
    await store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=60)
    assert (await store.load_turn(user_id=key.user_id, turn_id=begun.turn.turn_id)).status == "running"
