"""Two instances on one database: followed, cancelled, resumed and interrupted from wherever the caller is."""

from __future__ import annotations

import asyncio

import pytest

from shared.agent.updates import CompleteUpdate, ContentUpdate, ErrorUpdate, Update
from shared.errors import SessionConflictError, TurnInProgressError, TurnRolledBackError
from shared.turn import ResumedStep, Turn
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, call, cut_after, reply, status
from tests.shared.agent.rig import KEY, Deployment, Instance

SAVE = call("save_artifact", {"filename": "a.md", "content": "a"})


def text_of(updates: list[Update]) -> str:
    return "".join(update.content for update in updates if isinstance(update, ContentUpdate))


async def stop(instance: Instance) -> None:
    """Ends an instance as a kill does: its turns are left as they are recorded."""
    for turn in instance.engine._held.running():
        turn.abandon()
        await turn.ended.wait()


async def midway(gemini: GeminiServer, instance: Instance, message: str = "Work") -> tuple[Turn, Gate]:
    """A turn with one tool call done, whose next reply stands at a gate."""
    gate = Gate()
    gemini.script(reply("Saving.", SAVE), reply("Half", gate, " done."))
    turn = await instance.begin(message)
    async with asyncio.timeout(10):
        async for updates in instance.engine.follow(user_id=KEY.user_id, turn_id=turn.turn_id):
            if "Half" in text_of(list(updates)):
                break
    return turn, gate


async def test_a_stream_on_another_instance_gives_the_same(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, gate = await midway(gemini, here)
    far = asyncio.create_task(there.updates(turn))
    gate.open()
    near = await here.updates(turn)
    assert text_of(await far) == text_of(near) == "Saving.\n\nHalf done."
    assert [type(update) for update in near][-1] is CompleteUpdate
    for update in near:
        rest = await there.updates(turn, after=update.at)
        assert text_of(rest) == text_of([later for later in near if later.at > update.at])


async def test_a_cancel_from_another_instance_stops_the_turn(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, gate = await midway(gemini, here)
    near = asyncio.create_task(here.updates(turn))
    cancelled = await there.engine.cancel(user_id=KEY.user_id, turn_id=turn.turn_id)
    assert cancelled.status == "cancelled"
    last = (await near)[-1]
    assert isinstance(last, ErrorUpdate)
    assert last.code == "cancelled"
    gate.open()
    gemini.script(reply("Here I am."))
    assert (await there.wait(await there.begin("Still there?"))).response == "Here I am."


async def test_a_dead_instance_frees_the_session_and_its_turn_is_resumed_without_running_a_tool_again(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, gate = await midway(gemini, here)
    await stop(here)
    gate.open()
    with pytest.raises(TurnInProgressError):
        await there.begin("Hello?")
    deployment.clock.pass_time(31)
    assert (await there.engine.load(user_id=KEY.user_id, turn_id=turn.turn_id)).status == "interrupted"
    gemini.script(reply("All done."))
    await there.engine.resume(user_id=KEY.user_id, turn_id=turn.turn_id)
    ended = await there.wait(turn)
    assert (ended.status, ended.response) == ("completed", "Saving.\n\nAll done.")
    assert ResumedStep() in ended.steps
    assert here.runner.calls == ["save_artifact"]
    assert there.runner.calls == []


async def test_the_same_key_goes_on_with_the_turn_that_died(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    gate = Gate()
    gemini.script(reply("Saving.", SAVE), reply("Half", gate))
    turn = await here.begin("Work", idempotency_key="k", body_hash="h")
    await gemini.until(lambda server: len(server.requests) == 2)
    await stop(here)
    gate.open()
    deployment.clock.pass_time(31)
    gemini.script(reply("All done."))
    again = await asyncio.gather(*(there.begin("Work", idempotency_key="k", body_hash="h") for _ in range(5)))
    assert {each.turn_id for each in again} == {turn.turn_id}
    ended = await there.wait(turn)
    assert ended.response == "Saving.\n\nAll done."
    assert sum(isinstance(step, ResumedStep) for step in ended.steps) == 1
    assert (await here.begin("Work", idempotency_key="k", body_hash="h")).status == "completed"


async def test_a_reader_of_a_dead_turn_gets_the_new_reply_whole(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, gate = await midway(gemini, here)
    seen: list[Update] = []
    async for updates in here.engine.follow(user_id=KEY.user_id, turn_id=turn.turn_id):
        seen.extend(updates)
        if "Half" in text_of(seen):
            break
    await stop(here)
    gate.open()
    deployment.clock.pass_time(31)
    gemini.script(reply("Something else entirely."))
    await there.engine.resume(user_id=KEY.user_id, turn_id=turn.turn_id)
    rest = await there.updates(turn, after=seen[-1].at)
    assert text_of(rest).strip() == "Something else entirely."
    assert isinstance(rest[-1], CompleteUpdate)


async def test_a_passing_failure_can_be_resumed_and_a_lasting_one_cannot(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    gemini.script(reply("Saving.", SAVE))
    gemini.always(status(503))
    turn = await here.wait(await here.begin("Work", idempotency_key="k"))
    assert turn.status == "failed"
    gemini.script(reply("Done now."))
    assert (await here.wait(await here.begin("Work", idempotency_key="k"))).status == "completed"
    assert here.runner.calls == ["save_artifact"]
    resumed = await here.engine.resume(user_id=KEY.user_id, turn_id=turn.turn_id)
    assert resumed.status == "completed"


async def test_a_turn_that_others_came_after_is_not_resumed(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    turn, gate = await midway(gemini, here)
    gemini.script(reply("Newer."))
    await here.wait(await here.begin("Newer", if_busy="interrupt"))
    gate.open()
    interrupted = await here.wait(turn)
    assert interrupted.status == "interrupted"
    assert interrupted.response == "Saving.\n\nHalf"
    with pytest.raises(SessionConflictError):
        await here.engine.resume(user_id=KEY.user_id, turn_id=turn.turn_id)


async def test_an_interrupt_from_another_instance_takes_the_session(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, gate = await midway(gemini, here)
    near = asyncio.create_task(here.updates(turn))
    gemini.script(reply("Newer."))
    assert (await there.wait(await there.begin("Newer", if_busy="interrupt"))).response == "Newer."
    last = (await near)[-1]
    assert isinstance(last, ErrorUpdate)
    assert last.code == "interrupted"
    gate.open()


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_a_rollback_leaves_nothing_of_the_turn(
    deployment: Deployment, gemini: GeminiServer, elsewhere: bool
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    gemini.script(reply("First."))
    first = await here.wait(await here.begin("One"))
    turn, gate = await midway(gemini, here, "Two")
    near = asyncio.create_task(here.updates(turn))
    newer = there if elsewhere else here
    gemini.script(reply("Third."))
    third = await newer.wait(await newer.begin("Three", if_busy="rollback"))
    gate.open()
    with pytest.raises(TurnRolledBackError):
        await near
    turns = await here.store.list_turns(key=KEY, limit=10, cursor=None)
    assert [each.turn_id for each in turns.items] == [third.turn_id, first.turn_id]
    assert await here.artifacts.list(session=KEY) == ()
    assert "Two" not in str(gemini.requests[-1].contents)
    events = await here.store.unpublished_events(limit=100)
    assert turn.turn_id not in str(events)


async def test_a_turn_whose_stream_the_model_cut_keeps_what_was_said(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    gemini.script(*(cut_after(1, "Half of it", " never comes") for _ in range(1)))
    turn = await here.wait(await here.begin("Talk"))
    assert turn.status == "failed"
    assert turn.response == "Half of it"
