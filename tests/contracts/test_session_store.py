"""The contract of `SessionStore`, over every backend."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import InvalidRequestError, SessionConflictError, SessionNotFoundError, UnprocessableError
from shared.keys import SessionKey
from shared.session import Session
from shared.sessions.merge_patch import merge_patch
from shared.sessions.port import Store
from tests.contracts.session_values import ODD, SetClock, event, held, new_turn, run_turn, session_key


async def create(store: Store, key: SessionKey, clock: SetClock, title: str = "First") -> Session:
    return await store.create_session(key=key, title=title, context={"n": 1}, now=clock.now)


async def test_a_created_session_is_loaded_as_it_was(store: Store, clock: SetClock, key: SessionKey) -> None:
    created = await create(store, key, clock)
    assert created == Session(
        key=key, title="First", context={"n": 1}, created_at=clock.now, updated_at=clock.now, revision=1
    )
    assert await store.load_session(key=key) == created


async def test_a_second_session_of_one_id_is_a_conflict(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await create(store, key, clock)
    with pytest.raises(SessionConflictError):
        await create(store, key, clock, "Second")
    await store.delete_session(key=key, now=clock.now)
    for title in ("First", "Second"):
        with pytest.raises(SessionConflictError):
            await create(store, key, clock, title)


async def test_what_is_not_there_is_not_found(store: Store, clock: SetClock, key: SessionKey) -> None:
    for attempt in (
        store.load_session(key=key),
        store.set_title(key=key, title="x", now=clock.now),
        store.patch_context(key=key, patch={}, now=clock.now),
        store.delete_session(key=key, now=clock.now),
        store.list_turns(key=key, limit=1, cursor=None),
    ):
        with pytest.raises(SessionNotFoundError):
            await attempt
    assert (await store.list_sessions(user_id="alice", limit=5, cursor=None)).items == ()


async def test_a_deleted_session_is_gone_from_every_path(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await run_turn(store, key, clock.now)
    await store.delete_session(key=key, now=clock.now)
    clock.pass_time(1)
    for attempt in (
        store.load_session(key=key),
        store.set_title(key=key, title="x", now=clock.now),
        store.patch_context(key=key, patch={}, now=clock.now),
        store.delete_session(key=key, now=clock.now),
        store.list_turns(key=key, limit=1, cursor=None),
        store.begin_turn(new=new_turn(key, clock.now)),
    ):
        with pytest.raises(SessionNotFoundError):
            await attempt
    assert (await store.list_sessions(user_id="alice", limit=5, cursor=None)).items == ()


async def test_a_change_moves_revision_and_time(store: Store, clock: SetClock, key: SessionKey) -> None:
    first = await create(store, key, clock)
    later = clock.pass_time(5)
    titled = await store.set_title(key=key, title="Second", now=later)
    assert (titled.title, titled.revision, titled.updated_at) == ("Second", 2, later)
    patched = await store.patch_context(key=key, patch={"n": None, "m": {"x": 1}}, now=clock.pass_time(5))
    assert (patched.context, patched.revision, patched.updated_at) == ({"m": {"x": 1}}, 3, clock.now)
    assert patched.created_at == first.created_at
    assert await store.load_session(key=key) == patched


async def test_two_users_with_one_session_id_have_two_sessions(store: Store, clock: SetClock) -> None:
    alice, bob = session_key("alice"), session_key("bob")
    mine = await create(store, alice, clock, "Alice's")
    with pytest.raises(SessionNotFoundError):
        await store.load_session(key=bob)
    await create(store, bob, clock, "Bob's")
    await store.set_title(key=bob, title="Bob's own", now=clock.now)
    await store.patch_context(key=bob, patch={"n": 2}, now=clock.now)
    assert await store.load_session(key=alice) == mine
    assert [s.title for s in (await store.list_sessions(user_id="bob", limit=9, cursor=None)).items] == [
        "Bob's own"
    ]
    await store.delete_session(key=bob, now=clock.now)
    assert await store.load_session(key=alice) == mine


async def test_the_list_is_by_time_of_update_and_pages_through_all(store: Store, clock: SetClock) -> None:
    keys = [session_key(session_id=f"s-{index:02}") for index in range(7)]
    for index, key in enumerate(keys):
        # Two of a kind, so that the time alone does not tell them apart.
        await store.create_session(
            key=key, title="", context={}, now=clock.now + timedelta(seconds=index // 2)
        )
    expected = [key.session_id for key in reversed(keys)]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = await store.list_sessions(user_id="alice", limit=2, cursor=cursor)
        seen += [session.key.session_id for session in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == expected
    exact = await store.list_sessions(user_id="alice", limit=7, cursor=None)
    assert exact.next_cursor is None


async def test_paging_stands_still_while_other_sessions_come_and_go(store: Store, clock: SetClock) -> None:
    for index in range(4):
        await create(store, session_key(session_id=f"s-{index}"), clock)
        clock.pass_time(1)
    first = await store.list_sessions(user_id="alice", limit=2, cursor=None)
    await create(store, session_key(session_id="new"), clock)
    await store.delete_session(key=session_key(session_id="s-3"), now=clock.now)
    second = await store.list_sessions(user_id="alice", limit=2, cursor=first.next_cursor)
    assert [s.key.session_id for s in first.items] == ["s-3", "s-2"]
    assert [s.key.session_id for s in second.items] == ["s-1", "s-0"]


@pytest.mark.parametrize("cursor", ["x", "%%%", "é", "W10", "WzFd", "WyIxIiwyXQ", "WzEsIngiLDNd", "A" * 5000])
async def test_a_cursor_that_is_not_ours_is_refused(store: Store, cursor: str, key: SessionKey) -> None:
    with pytest.raises(InvalidRequestError):
        await store.list_sessions(user_id="alice", limit=5, cursor=cursor)


async def test_odd_strings_come_back_as_they_went(store: Store, clock: SetClock) -> None:
    key = SessionKey(user_id=ODD, session_id="é" * 64)
    context = {ODD: [ODD, 2**80, -1.5e300, {"": None}]}
    created = await store.create_session(key=key, title=ODD, context=context, now=clock.now)
    assert await store.load_session(key=key) == created
    listed = await store.list_sessions(user_id=ODD, limit=1, cursor=None)
    assert listed.items == (created,)
    # The escape of a character is not that character.
    with pytest.raises(SessionNotFoundError):
        await store.load_session(key=session_key("Ünï\\0000c\\d800\\0000 \U0001f916\u202e", "é" * 64))


async def test_a_name_too_long_for_an_index_is_refused(store: Store, clock: SetClock) -> None:
    with pytest.raises(UnprocessableError):
        await create(store, session_key("u" * 5000), clock)
    with pytest.raises(UnprocessableError):
        await store.load_session(key=session_key("\u20ac" * 200))
    await create(store, session_key("u" * 255), clock)


async def test_a_context_too_deep_is_refused_and_changes_nothing(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    created = await create(store, key, clock)
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"d": deep}
    with pytest.raises(UnprocessableError):
        await store.patch_context(key=key, patch=deep, now=clock.now)
    assert await store.load_session(key=key) == created


async def test_patches_at_once_all_count(store: Store, clock: SetClock, key: SessionKey) -> None:
    await create(store, key, clock)
    await asyncio.gather(*(store.patch_context(key=key, patch={str(n): n}, now=clock.now) for n in range(12)))
    session = await store.load_session(key=key)
    assert session.context == {"n": 1} | {str(n): n for n in range(12)}
    assert session.revision == 13


async def test_of_creations_at_once_one_wins(store: Store, clock: SetClock, key: SessionKey) -> None:
    results = await asyncio.gather(
        *(create(store, key, clock, str(n)) for n in range(10)), return_exceptions=True
    )
    assert sum(isinstance(result, Session) for result in results) == 1
    assert sum(isinstance(result, SessionConflictError) for result in results) == 9


async def test_deleting_takes_the_lease_of_a_running_turn(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    await store.delete_session(key=key, now=clock.now)
    with pytest.raises(SessionConflictError):
        await store.renew_lease(lease=held(begun), now=clock.now, lease_seconds=9)


async def test_check_answers(store: Store) -> None:
    await store.check()


# RFC 7396, appendix A, without change.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
async def test_merge_patch_is_the_rfcs(target: Any, patch: Any, result: Any) -> None:
    before = repr((target, patch))
    assert merge_patch(target, patch) == result
    assert repr((target, patch)) == before


async def test_a_patch_reaches_into_the_stored_context(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={"a": {"b": "c", "k": 1}, "x": [1]}, now=clock.now)
    session = await store.patch_context(
        key=key, patch={"a": {"b": "d", "k": None}, "x": {"y": {"z": None}}}, now=clock.now
    )
    assert session.context == {"a": {"b": "d"}, "x": {"y": {}}}


async def test_an_event_written_twice_is_one_event(store: Store, clock: SetClock, key: SessionKey) -> None:
    begun = await store.begin_turn(new=new_turn(key, clock.now))
    step = begun.turn.steps[0]
    for number in (1, 2):
        await store.append_step(
            lease=held(begun), number=number, step=step, now=clock.now, lease_seconds=9, events=(event(),)
        )
    assert len((await store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)).steps) == 3
