"""Every kind of write of turns and what belongs to them, to be done twice or cut at its commit.

A case prepares what its write needs, and gives the write: a function that may be called again, with the same
arguments each time, and what it answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from shared.keys import ArtifactKey, SessionKey
from shared.session import Summary
from shared.sessions.port import Store
from shared.sessions.tool_call_port import NewToolCall, ToolClaim
from shared.sessions.turn_port import BegunTurn
from shared.turn import DecisionStep
from tests.contracts.bot_values import bot_event, crash, letter, to
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
)
from tests.contracts.turn_steps import EXPIRED, WAIT, append, begin, finish, pause, question, taken

Write = Callable[[Store], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a case stands on."""

    store: Store
    clock: SetClock
    key: SessionKey


Case = Callable[[Ground], Awaitable[Write]]

_EVENTS = (event("e-1"), event("e-2"))


async def create_session(ground: Ground) -> Write:
    key, context, now = ground.key, {"a": float("nan")}, ground.clock.now
    return lambda store: store.create_session(key=key, title="T", context=context, now=now)


async def set_title(ground: Ground) -> Write:
    await run_turn(ground.store, ground.key, ground.clock.now)
    now = ground.clock.pass_time(1)
    return lambda store: store.set_title(key=ground.key, title="T", now=now)


async def patch_context(ground: Ground) -> Write:
    await run_turn(ground.store, ground.key, ground.clock.now)
    now = ground.clock.pass_time(1)
    return lambda store: store.patch_context(key=ground.key, patch={"a": {"b": 1}, "c": None}, now=now)


async def delete_session(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
    await begin(ground.store, ground.key, ground.clock, if_busy="wait")
    now = ground.clock.pass_time(1)
    return lambda store: store.delete_session(key=ground.key, now=now)


async def begin_first(ground: Ground) -> Write:
    new = new_turn(ground.key, ground.clock.now)
    return lambda store: store.begin_turn(new=new)


async def begin_by_key(ground: Ground) -> Write:
    await run_turn(ground.store, ground.key, ground.clock.now)
    new = new_turn(ground.key, ground.clock.now, idempotency_key="k", body_hash="h")
    return lambda store: store.begin_turn(new=new)


async def begin_known(ground: Ground) -> Write:
    await run_turn(ground.store, ground.key, ground.clock.now)
    revision = (await ground.store.load_session(key=ground.key)).revision
    new = new_turn(ground.key, ground.clock.now, known_revision=revision)
    return lambda store: store.begin_turn(new=new)


async def begin_after_death(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
    await begin(ground.store, ground.key, ground.clock, if_busy="wait")
    new = new_turn(ground.key, ground.clock.pass_time(EXPIRED))
    return lambda store: store.begin_turn(new=new)


def _busy(way: str, **more: Any) -> Case:
    async def case(ground: Ground) -> Write:
        await run_turn(ground.store, ground.key, ground.clock.now)
        begun = await begin(ground.store, ground.key, ground.clock)
        await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
        saved = replace(artifact(ground.key, ground.clock.now), turn_id=begun.turn.turn_id)
        await ground.store.add_version(artifact=saved, max_files=9)
        new = new_turn(ground.key, ground.clock.pass_time(1), if_busy=way, **more)
        return lambda store: store.begin_turn(new=new)

    return case


async def claim_waiting(ground: Ground) -> Write:
    first = await begin(ground.store, ground.key, ground.clock)
    waiting = [await begin(ground.store, ground.key, ground.clock, if_busy="wait") for _ in range(3)]
    await finish(ground.store, first, ground.clock)
    arguments: dict[str, Any] = {
        "key": ground.key,
        "turn_ids": tuple(each.turn.turn_id for each in waiting),
        "now": ground.clock.pass_time(1),
        "lease_seconds": LEASE_SECONDS,
        "wait_seconds": WAIT,
        "history_messages": 100,
    }
    return lambda store: store.claim_waiting(**arguments)


async def take_lost(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
    ground.clock.pass_time(EXPIRED)
    taking = taken(begun, ground.clock)
    return lambda store: store.take_turn(taken=taking)


async def take_waiting(ground: Ground) -> Write:
    first = await begin(ground.store, ground.key, ground.clock)
    waiting = await begin(ground.store, ground.key, ground.clock, if_busy="wait")
    ground.clock.pass_time(WAIT)
    await finish(ground.store, first, ground.clock)
    taking = taken(waiting, ground.clock)
    return lambda store: store.take_turn(taken=taking)


async def decide(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await pause(ground.store, begun, ground.clock)
    taking = taken(begun, ground.clock, DecisionStep(call_id="call-1", approved=False))
    return lambda store: store.take_turn(taken=taking)


async def append_step(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    now = ground.clock.pass_time(1)
    arguments: dict[str, Any] = {
        "lease": held(begun),
        "number": 1,
        "step": MODEL,
        "now": now,
        "lease_seconds": LEASE_SECONDS,
        "events": _EVENTS,
    }
    return lambda store: store.append_step(**arguments)


async def pause_turn(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    now = ground.clock.pass_time(1)
    asked = question(now + timedelta(hours=1))
    arguments: dict[str, Any] = {
        "lease": held(begun),
        "number": 1,
        "step": asked,
        "now": now,
        "lease_seconds": LEASE_SECONDS,
        "pause_until": asked.expires_at,
    }
    return lambda store: store.append_step(**arguments)


async def finish_turn(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
    arguments: dict[str, Any] = {
        "lease": held(begun),
        "number": 2,
        "steps": (TOOL, DONE, COMPLETED),
        "now": ground.clock.pass_time(1),
        "events": (event("end"),),
    }
    return lambda store: store.finish_turn(**arguments)


async def renew_lease(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    now = ground.clock.pass_time(1)
    return lambda store: store.renew_lease(lease=held(begun), now=now, lease_seconds=LEASE_SECONDS)


async def stop_running(ground: Ground) -> Write:
    begun = await begin(ground.store, ground.key, ground.clock)
    await append(ground.store, held(begun), 1, MODEL, ground.clock, events=_EVENTS)
    return _stop(ground, begun)


async def stop_waiting(ground: Ground) -> Write:
    await begin(ground.store, ground.key, ground.clock)
    return _stop(ground, await begin(ground.store, ground.key, ground.clock, if_busy="wait"))


def _stop(ground: Ground, begun: BegunTurn) -> Write:
    arguments: dict[str, Any] = {
        "user_id": ground.key.user_id,
        "turn_id": begun.turn.turn_id,
        "status": "cancelled",
        "now": ground.clock.pass_time(1),
        "events": (event("stopped"),),
    }
    return lambda store: store.stop_turn(**arguments)


async def save_summary(ground: Ground) -> Write:
    await run_turn(ground.store, ground.key, ground.clock.now)
    begun = await begin(ground.store, ground.key, ground.clock)
    summary = Summary(text="S", through=1)
    now = ground.clock.pass_time(1)
    return lambda store: store.save_summary(lease=held(begun), summary=summary, now=now)


async def add_version(ground: Ground) -> Write:
    await ground.store.create_session(key=ground.key, title="", context={}, now=ground.clock.now)
    record = artifact(ground.key, ground.clock.now)
    # At the limit of files too: the repeat is no further file.
    return lambda store: store.add_version(artifact=record, max_files=1, events=_EVENTS)


async def delete_artifact(ground: Ground) -> Write:
    await ground.store.create_session(key=ground.key, title="", context={}, now=ground.clock.now)
    record = artifact(ground.key, ground.clock.now)
    await ground.store.add_version(artifact=record, max_files=1)
    now = ground.clock.pass_time(1)
    file = ArtifactKey(session=ground.key, filename=record.filename)
    return lambda store: store.delete_artifact(key=file, now=now)


def _call(ground: Ground) -> NewToolCall:
    return NewToolCall(
        key=ground.key,
        call_id="c",
        name="n",
        arguments_hash="h",
        now=ground.clock.now,
        lease_seconds=LEASE_SECONDS,
        token=7,
    )


async def claim_tool_call(ground: Ground) -> Write:
    await ground.store.create_session(key=ground.key, title="", context={}, now=ground.clock.now)
    call = _call(ground)
    return lambda store: store.claim_tool_call(call=call)


async def complete_tool_call(ground: Ground) -> Write:
    claim = await (await claim_tool_call(ground))(ground.store)
    assert isinstance(claim, ToolClaim)
    return lambda store: store.complete_tool_call(claim=claim, result=TOOL.result)


async def release_tool_call(ground: Ground) -> Write:
    claim = await (await claim_tool_call(ground))(ground.store)
    assert isinstance(claim, ToolClaim)
    return lambda store: store.release_tool_call(claim=claim)


async def add_events(ground: Ground) -> Write:
    await ground.store.create_session(key=ground.key, title="", context={}, now=ground.clock.now)
    now = ground.clock.now
    return lambda store: store.add_events(key=ground.key, events=_EVENTS, now=now)


async def hold_events(ground: Ground) -> Write:
    turn_id = (await begin(ground.store, ground.key, ground.clock)).turn.turn_id
    now = ground.clock.now
    return lambda store: store.add_events(key=ground.key, events=_EVENTS, now=now, turn_id=turn_id)


async def mark_published(ground: Ground) -> Write:
    await (await add_events(ground))(ground.store)
    page = await ground.store.unpublished_events(limit=1)
    now = ground.clock.pass_time(1)
    return lambda store: store.mark_published(events=page, now=now)


async def record_events(ground: Ground) -> Write:
    now = ground.clock.now
    await ground.store.create_session(key=ground.key, title="", context={}, now=now)
    events = (to(bot_event("e-1", now), ground.key), to(crash("e-2", now), ground.key))
    return lambda store: store.record_events(events=events, now=now)


async def keep_dead_letters(ground: Ground) -> Write:
    letters = (letter("a1", ground.clock.now), letter("a2", ground.clock.now))
    return lambda store: store.keep_dead_letters(letters=letters)


async def settle_dead_letters(ground: Ground) -> Write:
    await (await keep_dead_letters(ground))(ground.store)
    now = ground.clock.pass_time(1)
    return lambda store: store.settle_dead_letters(letter_ids=("a1",), now=now)


CASES: dict[str, Case] = {
    "create_session": create_session,
    "set_title": set_title,
    "patch_context": patch_context,
    "delete_session": delete_session,
    "begin_turn": begin_first,
    "begin_turn by key": begin_by_key,
    "begin_turn with known history": begin_known,
    "begin_turn after a death": begin_after_death,
    "begin_turn: wait": _busy("wait"),
    "begin_turn: wait, by key": _busy("wait", idempotency_key="k", body_hash="h"),
    "begin_turn: interrupt": _busy("interrupt"),
    "begin_turn: rollback": _busy("rollback"),
    "begin_turn: rollback, by key": _busy("rollback", idempotency_key="k", body_hash="h"),
    "claim_waiting": claim_waiting,
    "take_turn of a dead owner": take_lost,
    "take_turn of the line": take_waiting,
    "take_turn by an answer": decide,
    "append_step": append_step,
    "append_step that pauses": pause_turn,
    "finish_turn": finish_turn,
    "renew_lease": renew_lease,
    "stop_turn": stop_running,
    "stop_turn in line": stop_waiting,
    "save_summary": save_summary,
    "add_version": add_version,
    "delete_artifact": delete_artifact,
    "claim_tool_call": claim_tool_call,
    "complete_tool_call": complete_tool_call,
    "release_tool_call": release_tool_call,
    "add_events": add_events,
    "add_events of a turn": hold_events,
    "mark_published": mark_published,
    "record_events": record_events,
    "keep_dead_letters": keep_dead_letters,
    "settle_dead_letters": settle_dead_letters,
}


async def seen(store: Store, key: SessionKey) -> tuple[Any, ...]:
    """All that a session shows to the outside, to compare."""
    sessions = (await store.list_sessions(user_id=key.user_id, limit=9, cursor=None)).items
    events = await store.unpublished_events(limit=99)
    told = [(each.key, each.event, each.created_at) for each in events]
    letters = (await store.list_dead_letters(limit=99, cursor=None)).items
    if not sessions:
        return (sessions, told, letters)
    turns = (await store.list_turns(key=key, limit=99, cursor=None)).items
    files = await store.list_artifacts(session=key)
    call = await store.load_tool_call(key=key, call_id="c")
    bots = (await store.load_session(key=key)).derived
    history = (await store.bot_history(user_id=key.user_id, bot_id="bot-1", limit=99, cursor=None)).items
    return (sessions, told, letters, turns, files, call, bots, history)
