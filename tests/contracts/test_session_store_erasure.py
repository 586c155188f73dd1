"""The contract of `UserErasure`, over every backend: nothing of a user is left, nothing of others goes."""

from __future__ import annotations

from collections import Counter

import pytest

from shared.errors import InvalidRequestError, SessionConflictError
from shared.keys import ArtifactKey, SessionKey
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.erasure_port import KnownSession
from shared.sessions.firestore import reseal, tidy
from shared.sessions.firestore.collections import OF_ACCOUNT, OF_SESSION
from shared.sessions.port import Store
from shared.sessions.sql.erasure import OWNED
from shared.sessions.sql.schema import metadata
from tests.contracts.planted import plant
from tests.contracts.session_values import (
    ODD,
    SetClock,
    artifact,
    new_turn,
    run_turn,
    session_key,
)
from tests.contracts.stored_text import text_at_rest

USER = "alice-the-user"
KINDS = {
    *("sessions", "turns", "files", "versions", "tool_calls", "deployments", "events"),
    *("bot_events", "bot_facts"),
    *("idempotency_keys", "usage_days", "reservations", "permits", "secrets"),
}


async def fill(store: Store, clock: SetClock, user_id: str) -> SessionKey:
    """Something of every kind for the user, in the session it gives."""
    key = SessionKey(user_id=user_id, session_id="s-planted")
    await plant(store, clock, key=key)
    kept = SessionKey(user_id=user_id, session_id="s-kept")
    await store.begin_turn(new=new_turn(kept, clock.now, idempotency_key="i-1", body_hash="h"))
    for number in (1, 2, 3):
        assert await store.add_version(artifact=artifact(kept, clock.now, "a.py", number), max_files=9)
    await store.reserve_usage(
        user_id=user_id,
        reservation_id="r-1",
        charge=Charge(tokens=5),
        limits=DailyLimits(),
        now=clock.now,
        lease_seconds=60,
    )
    await store.take_permit(user_id=user_id, kind="turn", limit=9, window_seconds=60, now=clock.now)
    return key


async def everything_of(store: Store, key: SessionKey) -> tuple[object, ...]:
    return (
        await store.count_records(user_id=key.user_id),
        await store.load_session(key=key),
        await store.list_turns(key=key, limit=50, cursor=None),
        await store.list_artifacts(session=key),
        await store.load_tool_call(key=key, call_id="c-9"),
        await store.load_deployment(key=key, call_id="c-10"),
        [each for each in await store.unpublished_events(limit=200) if each.key.user_id == key.user_id],
        await store.load_user_secret(user_id=key.user_id, name="model"),
    )


async def known(store: Store, user_id: str, limit: int = 1) -> list[KnownSession]:
    found: list[KnownSession] = []
    after: str | None = None
    for _ in range(50):
        page = await store.list_user_sessions(user_id=user_id, after=after, limit=limit)
        found += page.sessions
        after = page.after
        if after is None:
            return found
    raise AssertionError("the sessions do not come to an end")


async def delete_all(store: Store, clock: SetClock, user_id: str) -> None:
    for session in await known(store, user_id):
        if not session.is_deleted:
            await store.delete_session(key=session.key, now=clock.now)


async def erase(store: Store, key: SessionKey, limit: int = 2) -> tuple[Counter[str], list[str], str]:
    """What went of a session, the object keys that were given, and its last state."""
    records: Counter[str] = Counter()
    objects: list[str] = []
    gone: tuple[str, ...] = ()
    for _ in range(200):
        part = await store.erase_session(key=key, gone=gone, limit=limit)
        records.update(part.records)
        objects += part.object_keys
        gone = part.object_keys
        if part.state != "more":
            return records, objects, part.state
    raise AssertionError("the session is never gone")


async def erase_account(store: Store, user_id: str, limit: int = 1) -> Counter[str]:
    records: Counter[str] = Counter()
    for _ in range(100):
        part = await store.erase_account(user_id=user_id, limit=limit)
        records.update(part.records)
        if part.state == "gone":
            return records
    raise AssertionError("the account is never gone")


async def test_nothing_of_a_user_is_left_and_all_of_others(
    store: Store, store_url: str, clock: SetClock
) -> None:
    await fill(store, clock, USER)
    bobs = await fill(store, clock, "bob")
    before = await everything_of(store, bobs)
    counted = await store.count_records(user_id=USER)
    assert set(counted) == KINDS
    await delete_all(store, clock, USER)
    records: Counter[str] = Counter()
    for session in await known(store, USER):
        gone, _, state = await erase(store, session.key)
        assert state == "gone"
        records.update(gone)
    records.update(await erase_account(store, USER))
    assert set(records) == KINDS
    # When a session is deleted its held events come out, and turns that wait in line go.
    same = KINDS - {"events", "turns"}
    assert {kind: records[kind] for kind in same} == {kind: counted[kind] for kind in same}
    assert await store.count_records(user_id=USER) == {}
    assert await known(store, USER) == []
    await store.clean_up()
    stored = await text_at_rest(store_url)
    assert (USER.encode() in stored, b"bob" in stored) == (False, True)
    assert await everything_of(store, bobs) == before


def test_every_kind_of_record_is_a_users_or_nobodys() -> None:
    tables = {table.name for table in metadata.sorted_tables}
    assert tables - {table.name for table in OWNED} == {"named_leases", "work_places"}
    collections = {*OF_ACCOUNT, *(each.collection for each in OF_SESSION), "sessions", "files", "versions"}
    assert {*reseal.FIELDS, *tidy.COLLECTIONS} - collections == {"leases", "dead_letters"}


async def test_bytes_go_before_the_records_that_name_them(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="t", context={}, now=clock.now)
    made = [artifact(key, clock.now, "a.py", number) for number in (1, 2, 3)]
    for each in made:
        await store.add_version(artifact=each, max_files=9)
    await store.delete_session(key=key, now=clock.now)
    for _ in range(2):
        # As after a crash: what was not told to be gone is named again.
        part = await store.erase_session(key=key, gone=(), limit=9)
        assert (sorted(part.object_keys), part.state) == (sorted(e.object_key for e in made), "more")
    part = await store.erase_session(key=key, gone=(made[0].object_key, "artifacts/else"), limit=9)
    assert sorted(part.object_keys) == sorted(each.object_key for each in made[1:])
    assert part.records["versions"] == 1
    _, objects, state = await erase(store, key, limit=1)
    assert (sorted(objects), state) == (sorted(each.object_key for each in made[1:]), "gone")
    assert (await store.erase_session(key=key, gone=(), limit=9)).state == "gone"


async def test_live_and_held_sessions_are_spared(store: Store, clock: SetClock, key: SessionKey) -> None:
    await run_turn(store, key, clock.now)
    assert (await store.erase_session(key=key, gone=(), limit=9)).state == "spared"
    await store.hold_session(key=key, held=True, now=clock.now)
    await store.delete_session(key=key, now=clock.now)
    assert (await store.erase_session(key=key, gone=(), limit=9)).state == "spared"
    [session] = await known(store, key.user_id)
    assert (session.is_deleted, session.is_held, session.is_running) == (True, True, False)
    assert await store.count_records(user_id=key.user_id) == {}
    await erase_account(store, key.user_id)
    await store.hold_session(key=key, held=False, now=clock.now)
    counted = await store.count_records(user_id=key.user_id)
    assert counted == {"sessions": 1, "turns": 1}
    assert (await erase(store, key))[2] == "gone"


async def test_a_user_begins_anew_under_the_same_names(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    new = new_turn(key, clock.now, idempotency_key="i", body_hash="h")
    begun = await store.begin_turn(new=new)
    [session] = await known(store, key.user_id)
    assert session.is_running
    await store.delete_session(key=key, now=clock.now)
    await erase(store, key)
    await erase_account(store, key.user_id)
    assert begun.lease is not None
    with pytest.raises(SessionConflictError):
        await store.renew_lease(lease=begun.lease, now=clock.now, lease_seconds=60)
    clock.pass_time(1)
    again = await store.begin_turn(new=new_turn(key, clock.now, idempotency_key="i", body_hash="other body"))
    assert (again.turn.number, again.history) == (1, ())
    with pytest.raises(SessionConflictError):
        await store.renew_lease(lease=begun.lease, now=clock.now, lease_seconds=60)
    assert await store.add_version(artifact=artifact(key, clock.now), max_files=9)
    name = ArtifactKey(session=key, filename="main.py")
    assert [each.version for each in await store.list_versions(key=name)] == [1]


async def test_an_emptied_session_is_known_and_goes(store: Store, clock: SetClock, key: SessionKey) -> None:
    await run_turn(store, key, clock.now)
    await store.delete_session(key=key, now=clock.now)
    assert (await store.empty_session(key=key, now=clock.now, limit=9)).state == "empty"
    assert [each.key for each in await known(store, key.user_id)] == [key]
    records, _, state = await erase(store, key)
    assert (records["sessions"], state) == (1, "gone")
    assert await known(store, key.user_id) == []


async def test_odd_users_and_wrong_places(store: Store, clock: SetClock) -> None:
    key = session_key(ODD, ODD)
    await run_turn(store, key, clock.now)
    await run_turn(store, session_key(ODD, "s-2"), clock.now)
    assert {each.key for each in await known(store, ODD)} == {key, session_key(ODD, "s-2")}
    await store.delete_session(key=key, now=clock.now)
    assert (await erase(store, key))[2] == "gone"
    assert {each.key for each in await known(store, ODD)} == {session_key(ODD, "s-2")}
    with pytest.raises(InvalidRequestError):
        await store.list_user_sessions(user_id=ODD, after="not one of ours!", limit=9)
    assert await known(store, "nobody") == []
    assert await store.count_records(user_id="nobody") == {}
    assert (await store.erase_session(key=session_key("nobody"), gone=(), limit=9)).state == "gone"
