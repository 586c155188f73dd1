"""The contract of `BotEvents`, over every backend: once, by their own time, in whatever order they come."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import InvalidRequestError
from shared.keys import SessionKey
from shared.sessions.cache import cached_store
from shared.sessions.inbound_port import AddressedEvent
from shared.sessions.port import Store
from tests.contracts.bot_values import bot_event, crash, log_line, to
from tests.contracts.session_values import ODD, SetClock, held, new_turn, session_key
from tests.contracts.turn_steps import begin, finish, taken

DAY = 86_400.0


@pytest.fixture
async def session(store: Store, clock: SetClock, key: SessionKey) -> SessionKey:
    """A session that is there."""
    await store.create_session(key=key, title="", context={"own": 1}, now=clock.now)
    return key


async def derived(store: Store, key: SessionKey) -> dict[str, Any]:
    return (await store.load_session(key=key)).derived


async def test_a_session_without_events_derives_nothing(store: Store, session: SessionKey) -> None:
    assert await derived(store, session) == {}
    assert await store.record_events(events=(), now=SetClock().now) == ()


async def test_an_event_is_applied_once_and_shown(store: Store, clock: SetClock, session: SessionKey) -> None:
    event = to(bot_event("e-1", clock.now), session)
    assert await store.record_events(events=(event,), now=clock.now) == ("applied",)
    before = await derived(store, session)
    assert before["recent_execution"] == {
        "bot_id": "bot-1",
        "time": "2026-03-01T12:00:00.123456Z",
        "status": "completed",
        "result": "e-1",
    }
    assert before["performance_metrics"] == {"n": "e-1"}
    assert before["bots"]["bot-1"]["status"] == "running"
    assert await store.record_events(events=(event,), now=clock.pass_time(1)) == ("duplicate",)
    assert await derived(store, session) == before
    loaded = await store.load_session(key=session)
    assert loaded.context == {"own": 1}
    assert loaded.whole_context == {"own": 1, **before}


async def test_a_call_that_is_repeated_answers_the_same(
    store: Store, other_store: Store, clock: SetClock, session: SessionKey
) -> None:
    events = (to(bot_event("e-1", clock.now), session), to(bot_event("e-1", clock.now), session))
    first = await store.record_events(events=events, now=clock.now)
    assert first == ("applied", "duplicate")
    assert await other_store.record_events(events=events, now=clock.now) == first


async def test_the_newest_by_time_wins_whatever_comes_first(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    late = to(bot_event("late", clock.now + timedelta(minutes=1)), session)
    early = to(bot_event("early", clock.now), session)
    assert await store.record_events(events=(late, early), now=clock.now) == ("applied", "applied")
    earliest = to(bot_event("earliest", clock.now - timedelta(minutes=1)), session)
    assert await store.record_events(events=(earliest,), now=clock.now) == ("applied",)
    assert (await derived(store, session))["recent_execution"]["result"] == "late"


async def test_any_order_in_any_batches_on_two_instances_ends_the_same(
    store: Store, other_store: Store, clock: SetClock, session: SessionKey
) -> None:
    sessions = [session, *(session_key(session_id=f"s-{number}") for number in range(3, 5))]
    for other in sessions[1:]:
        await store.create_session(key=other, title="", context={}, now=clock.now)
    chosen = random.Random(7)
    for key in sessions:
        # The same events for each session, in an order and in batches of its own.
        events = [
            event
            for number in range(12)
            for event in (
                bot_event(
                    f"e-{number}", clock.now + timedelta(seconds=number // 3), bot_id=f"b-{number % 2}"
                ),
                crash(f"c-{number}", clock.now + timedelta(seconds=number // 4), bot_id=f"b-{number % 2}"),
                log_line(
                    f"l-{number}", clock.now + timedelta(seconds=number), f"line {number}", bot_id="b-0"
                ),
            )
        ]
        events += chosen.sample(events, 9)
        chosen.shuffle(events)
        batches = [tuple(to(event, key) for event in events[at : at + 7]) for at in range(0, len(events), 7)]
        await asyncio.gather(
            *(
                (store, other_store)[number % 2].record_events(events=batch, now=clock.now)
                for number, batch in enumerate(batches)
            )
        )
    found = [await derived(store, key) for key in sessions]
    assert found[0]["bots"].keys() == {"b-0", "b-1"}
    assert found[1] == found[0]
    assert found[2] == found[0]


async def test_events_reach_the_named_sessions_and_no_other(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    bobs, second = session_key("bob"), session_key(session_id="s-2")
    for other in (bobs, second):
        await store.create_session(key=other, title="", context={}, now=clock.now)
    event = bot_event("e-1", clock.now)
    assert await store.record_events(events=(to(event, session, second),), now=clock.now) == ("applied",)
    assert (await derived(store, second))["recent_execution"]["result"] == "e-1"
    assert await derived(store, bobs) == {}
    history = await store.bot_history(user_id="alice", bot_id="bot-1", limit=9, cursor=None)
    assert [each.event_id for each in history.items] == ["e-1"]
    assert (await store.bot_history(user_id="bob", bot_id="bot-1", limit=9, cursor=None)).items == ()


async def test_a_session_that_is_not_there_keeps_nothing(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    nobody = session_key("nobody")
    events = (to(bot_event("e-1", clock.now), nobody), to(bot_event("e-2", clock.now), session, nobody))
    assert await store.record_events(events=events, now=clock.now) == ("unknown_session", "applied")
    await store.delete_session(key=session, now=clock.now)
    again = to(bot_event("e-3", clock.now), session)
    assert await store.record_events(events=(again,), now=clock.now) == ("unknown_session",)
    assert (await store.bot_history(user_id="alice", bot_id="bot-1", limit=9, cursor=None)).items == ()


async def test_every_way_to_a_session_shows_what_events_told(
    store: Store, clock: SetClock, key: SessionKey
) -> None:
    cached = cached_store(store)
    first = await begin(cached, key, clock)
    assert first.session.derived == {}
    await finish(cached, first, clock)
    await store.record_events(events=(to(bot_event("e-1", clock.now), key),), now=clock.now)
    expected = await derived(store, key)
    assert expected
    # By a process that holds the history in its cache, and after a further event.
    second = await begin(cached, key, clock)
    assert second.session.derived == expected
    await store.record_events(events=(to(bot_event("e-2", clock.pass_time(1)), key),), now=clock.now)
    expected = await derived(store, key)
    assert expected["recent_execution"]["result"] == "e-2"
    waiting = await begin(cached, key, clock, if_busy="wait")
    await finish(cached, second, clock)
    claimed = await cached.claim_waiting(
        key=key,
        turn_ids=(waiting.turn.turn_id,),
        now=clock.now,
        lease_seconds=60,
        wait_seconds=30,
        history_messages=100,
    )
    assert claimed is not None
    assert claimed.session.derived == expected
    clock.pass_time(1000)
    assert (await cached.take_turn(taken=taken(waiting, clock))).session.derived == expected
    assert (await store.set_title(key=key, title="T", now=clock.now)).derived == expected
    for _ in range(2):
        patched = await store.patch_context(key=key, patch={"a": 1}, now=clock.now)
        assert (patched.derived, patched.context) == (expected, {"a": 1})


async def test_a_begin_that_is_repeated_has_it_too(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    await store.record_events(events=(to(bot_event("e-1", clock.now), session),), now=clock.now)
    new = new_turn(session, clock.now, idempotency_key="k", body_hash="h")
    first = await store.begin_turn(new=new)
    again = await store.begin_turn(new=new)
    assert held(again) == held(first)
    assert first.session.derived == again.session.derived == await derived(store, session)


async def test_a_failed_run_shows_the_last_lines_before_it(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    start = clock.now
    lines = [
        to(log_line(f"l-{number}", start + timedelta(seconds=number), f"line {number}"), session)
        for number in range(30)
    ]
    other = to(log_line("other", start, "of another bot", bot_id="bot-2"), session)
    later = to(log_line("later", start + timedelta(hours=1), "much later"), session)
    failed = to(crash("c", start + timedelta(seconds=29)), session)
    await store.record_events(events=(failed, *lines, other, later), now=clock.now)
    shown = (await derived(store, session))["recent_execution"]
    assert shown["status"] == "failed"
    assert [line.partition(" ")[2] for line in shown["logs"]] == [
        f"line {number}" for number in range(10, 30)
    ]


async def test_history_is_newest_first_and_paged(store: Store, clock: SetClock, session: SessionKey) -> None:
    second = session_key(session_id="s-2")
    await store.create_session(key=second, title="", context={}, now=clock.now)
    times = [clock.now + timedelta(seconds=number // 2) for number in range(7)]
    events = [
        to(bot_event(f"e-{number}", time, data={"text": ODD}), session, second)
        for number, time in enumerate(times)
    ]
    await store.record_events(events=tuple(events), now=clock.now)
    found, cursor = [], None
    for _ in range(20):
        page = await store.bot_history(user_id="alice", bot_id="bot-1", limit=3, cursor=cursor)
        found += list(page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    wanted = sorted(events, key=lambda each: (each.event.time, each.event.key), reverse=True)
    assert [each.event_id for each in found] == [each.event.event_id for each in wanted]
    assert found[0].data == {"text": ODD}
    assert (found[0].type, found[0].bot_id) == ("bot.execution.completed", "bot-1")
    assert (found[0].received_at, found[0].time) == (clock.now, times[-1])
    for cursor in ("x", "W10"):
        with pytest.raises(InvalidRequestError):
            await store.bot_history(user_id="alice", bot_id="bot-1", limit=3, cursor=cursor)


async def test_events_go_30_days_after_they_came_and_what_they_told_stays(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    await store.record_events(events=(to(bot_event("e-1", clock.now), session),), now=clock.now)
    before = await derived(store, session)
    clock.pass_time(30 * DAY - 1)
    assert await store.tidy(now=clock.now, limit=100) == 0
    clock.pass_time(1)
    assert await store.tidy(now=clock.now, limit=100) == 1
    assert (await store.bot_history(user_id="alice", bot_id="bot-1", limit=9, cursor=None)).items == ()
    assert await derived(store, session) == before


async def test_a_deleted_session_is_emptied_of_its_events(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    await store.record_events(events=(to(bot_event("e-1", clock.now), session),), now=clock.now)
    await store.delete_session(key=session, now=clock.now)
    assert (await store.empty_session(key=session, now=clock.now, limit=100)).state == "empty"
    # Nothing is left for the time to remove.
    assert await store.tidy(now=clock.pass_time(60 * DAY), limit=100) == 0


async def test_sessions_of_an_id_are_those_of_any_user_that_are_there(
    store: Store, clock: SetClock, session: SessionKey
) -> None:
    assert await store.sessions_of_id(session_id=session.session_id) == (session,)
    assert await store.sessions_of_id(session_id="none") == ()
    for user in ("bob", "carol"):
        await store.create_session(key=session_key(user), title="", context={}, now=clock.now)
    assert await store.sessions_of_id(session_id=session.session_id) == (session, session_key("bob"))
    await store.delete_session(key=session, now=clock.now)
    assert await store.sessions_of_id(session_id=session.session_id) == (
        session_key("bob"),
        session_key("carol"),
    )


async def test_a_batch_of_a_thousand(store: Store, clock: SetClock, session: SessionKey) -> None:
    events: list[AddressedEvent] = [
        to(bot_event(f"e-{number}", clock.now + timedelta(seconds=number)), session) for number in range(1000)
    ]
    outcomes = await store.record_events(events=tuple(events), now=clock.now)
    assert set(outcomes) == {"applied"}
    assert (await derived(store, session))["recent_execution"]["result"] == "e-999"
