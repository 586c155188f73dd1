"""The contract of `Store.tidy`, over every backend: what goes when, by the clock, and what stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import RateLimitedError
from shared.keys import SessionKey
from shared.sessions.account_port import Charge, DailyLimits
from shared.sessions.port import Store
from shared.sessions.tool_call_port import NewToolCall, ToolClaim
from tests.contracts.session_values import COMPLETED, TOOL, SetClock, event, held, new_turn

DAY = 86_400.0
LIMIT = 100


async def tidy_all(store: Store, clock: SetClock, limit: int = LIMIT) -> int:
    """Tidies until nothing is left to remove; how many records went."""
    removed = 0
    for _ in range(50):
        now = await store.tidy(now=clock.now, limit=limit)
        removed += now
        if now == 0:
            return removed
    raise AssertionError("tidy does not come to an end")


async def test_an_empty_store_has_nothing_to_tidy(store: Store, clock: SetClock) -> None:
    assert await store.tidy(now=clock.now, limit=LIMIT) == 0


async def test_an_idempotency_key_goes_after_its_24_hours(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    new = new_turn(key, clock.now, idempotency_key="k", body_hash="h")
    begun = await store.begin_turn(new=new)
    await store.finish_turn(lease=held(begun), number=1, steps=(COMPLETED,), now=clock.now)
    clock.pass_time(DAY - 1)
    assert await tidy_all(store, clock) == 0
    again = await store.begin_turn(new=new_turn(key, clock.now, idempotency_key="k", body_hash="h"))
    assert again.turn.turn_id == begun.turn.turn_id
    clock.pass_time(1)
    assert await tidy_all(store, clock) == 1
    assert (await store.load_turn(user_id=key.user_id, turn_id=begun.turn.turn_id)).status == "completed"


async def test_a_tool_call_goes_24_hours_after_it_began(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    call = NewToolCall(
        key=key,
        call_id="c1",
        name="save_artifact",
        arguments_hash="h",
        now=clock.now,
        lease_seconds=30,
        token=1,
    )
    claim = await store.claim_tool_call(call=call)
    assert isinstance(claim, ToolClaim)
    await store.complete_tool_call(claim=claim, result=TOOL.result)
    clock.pass_time(DAY - 1)
    assert await tidy_all(store, clock) == 0
    assert await store.load_tool_call(key=key, call_id="c1") is not None
    clock.pass_time(2)
    assert await tidy_all(store, clock) == 1
    assert await store.load_tool_call(key=key, call_id="c1") is None
    assert (await store.load_session(key=key)).key == key


async def test_an_event_goes_7_days_after_it_was_published_and_not_before(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    await store.create_session(key=key, title="", context={}, now=clock.now)
    await store.add_events(key=key, events=(event("e-1"), event("e-2")), now=clock.now)
    clock.pass_time(30 * DAY)
    assert await tidy_all(store, clock) == 0
    waiting = await store.unpublished_events(limit=10)
    assert [each.event.event_id for each in waiting] == ["e-1", "e-2"]
    await store.mark_published(events=waiting[:1], now=clock.now)
    clock.pass_time(7 * DAY - 1)
    assert await tidy_all(store, clock) == 0
    # Its id is still known: the same event does not go out twice.
    await store.add_events(key=key, events=(event("e-1"),), now=clock.now)
    assert [each.event.event_id for each in await store.unpublished_events(limit=10)] == ["e-2"]
    clock.pass_time(2)
    assert await tidy_all(store, clock) == 1
    assert [each.event.event_id for each in await store.unpublished_events(limit=10)] == ["e-2"]


async def test_a_permit_goes_with_its_window(store: Store, clock: SetClock) -> None:
    async def take() -> None:
        await store.take_permit(user_id="alice", kind="turns", limit=1, window_seconds=60, now=clock.now)

    await take()
    assert await tidy_all(store, clock) == 0
    with pytest.raises(RateLimitedError):
        await take()
    clock.pass_time(60)
    assert await tidy_all(store, clock) == 1
    await take()


async def test_usage_is_kept_for_90_days_and_reservations_for_their_lease(
    store: Store, clock: SetClock
) -> None:
    began = clock.now
    for reservation_id in ("r-1", "r-2"):
        await store.reserve_usage(
            user_id="alice",
            reservation_id=reservation_id,
            charge=Charge(tokens=5, micros=7),
            limits=DailyLimits(),
            now=clock.now,
            lease_seconds=120,
        )
    await store.settle_usage(user_id="alice", reservation_id="r-1", charge=Charge(tokens=1), now=clock.now)
    clock.pass_time(119)
    assert await tidy_all(store, clock) == 0
    clock.pass_time(1)
    assert await tidy_all(store, clock) == 2
    clock.now = began + timedelta(days=90)
    assert await tidy_all(store, clock) == 0
    assert await store.usage_today(user_id="alice", now=began) == Charge(tokens=6, micros=7)
    clock.now = began + timedelta(days=91)
    assert await tidy_all(store, clock) == 1
    assert await store.usage_today(user_id="alice", now=began) == Charge()


async def test_a_named_lease_goes_when_it_has_run_out(store: Store, clock: SetClock) -> None:
    assert await store.take_named_lease(name="relay", holder="one", now=clock.now, seconds=30)
    clock.pass_time(29)
    assert await tidy_all(store, clock) == 0
    assert not await store.take_named_lease(name="relay", holder="two", now=clock.now, seconds=30)
    clock.pass_time(1)
    assert await tidy_all(store, clock) == 1
    assert await store.take_named_lease(name="relay", holder="two", now=clock.now, seconds=30)


async def test_one_call_removes_about_its_limit_and_the_rest_comes_later(
    store: Store, clock: SetClock
) -> None:
    for number in range(9):
        user_id = f"user-{number}"
        await store.take_permit(user_id=user_id, kind="turns", limit=1, window_seconds=60, now=clock.now)
        assert await store.take_named_lease(name=user_id, holder="one", now=clock.now, seconds=30)
    clock.pass_time(60)
    first = await store.tidy(now=clock.now, limit=4)
    assert 0 < first < 18
    assert first + await tidy_all(store, clock, limit=4) == 18


async def test_secrets_and_sessions_stay(store: Store, clock: SetClock, key: SessionKey) -> None:
    await store.create_session(key=key, title="kept", context={}, now=clock.now)
    await store.save_user_secret(user_id="alice", name="gemini", value="kept", now=clock.now)
    clock.pass_time(1000 * DAY)
    assert await tidy_all(store, clock) == 0
    assert (await store.load_session(key=key)).title == "kept"
    assert await store.load_user_secret(user_id="alice", name="gemini") == "kept"
