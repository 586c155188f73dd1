"""A tool that needs the user's yes: asked, bound to what was asked, run once or not at all."""

from __future__ import annotations

import asyncio

import pytest

from shared.agent.updates import ApprovalUpdate, CompleteUpdate, ToolResultUpdate
from shared.errors import ApprovalConflictError, ApprovalRequiredError
from shared.keys import ArtifactKey
from shared.tools.port import effect_id
from shared.turn import Turn
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import call, reply
from tests.shared.agent.rig import KEY, Deployment, Instance

LAUNCH = call("launch", {"name": "bot"})


async def ask(gemini: GeminiServer, instance: Instance) -> tuple[Turn, str]:
    """A turn that waits for the user's yes, and the call it is about."""
    gemini.script(reply("I will launch it.", LAUNCH))
    turn = await instance.wait(await instance.begin("Launch my bot"))
    assert turn.status == "paused"
    (asked, _), *_ = turn.tool_calls
    return turn, asked.id


async def decide(instance: Instance, turn: Turn, call_id: str, approved: bool) -> Turn:
    return await instance.engine.decide(
        user_id=KEY.user_id, turn_id=turn.turn_id, call_id=call_id, approved=approved
    )


async def test_a_yes_runs_the_call_once_and_the_turn_goes_on(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    turn, call_id = await ask(gemini, here)
    updates = await here.updates(turn)
    question = updates[-1]
    assert isinstance(question, ApprovalUpdate)
    assert (question.call_id, question.name, question.arguments) == (call_id, "launch", {"name": "bot"})
    assert deployment.outside.launches == []
    gemini.script(reply("It is launched."))
    await decide(here, turn, call_id, True)
    rest = await here.updates(turn, after=question.at)
    assert isinstance(rest[0], ToolResultUpdate)
    assert isinstance(rest[-1], CompleteUpdate)
    assert deployment.outside.launches == [(effect_id(turn.turn_id, call_id), "bot")]
    ended = await here.wait(turn)
    assert (ended.status, ended.response) == ("completed", "I will launch it.\n\nIt is launched.")
    with pytest.raises(ApprovalConflictError):
        await decide(here, turn, call_id, True)


async def test_a_no_is_told_to_the_model_and_nothing_runs(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    turn, call_id = await ask(gemini, here)
    gemini.script(reply("As you wish."))
    await decide(here, turn, call_id, False)
    ended = await here.wait(turn)
    assert ended.status == "completed"
    assert deployment.outside.launches == []
    assert here.runner.calls == []
    ((_, result),) = ended.tool_calls
    assert result is not None
    assert result.error is not None
    assert result.error.code == "denied"
    assert "denied" in str(gemini.requests[-1].tool_results)


async def test_a_yes_hours_later_on_another_instance_goes_on(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, call_id = await ask(gemini, here)
    await here.engine.close()
    deployment.clock.pass_time(20 * 3600)
    gemini.script(reply("It is launched."))
    await decide(there, turn, call_id, True)
    assert (await there.wait(turn)).status == "completed"
    assert deployment.outside.launches == [(effect_id(turn.turn_id, call_id), "bot")]


async def test_a_late_yes_is_refused(deployment: Deployment, gemini: GeminiServer) -> None:
    here = await deployment.instance()
    turn, call_id = await ask(gemini, here)
    deployment.clock.pass_time(24 * 3600 + 1)
    with pytest.raises(ApprovalConflictError):
        await decide(here, turn, call_id, True)
    assert (await here.engine.load(user_id=KEY.user_id, turn_id=turn.turn_id)).status == "interrupted"
    assert deployment.outside.launches == []


async def test_a_changed_byte_makes_the_yes_worthless_and_a_no_still_counts(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    key = ArtifactKey(session=KEY, filename="main.py")
    await here.store.create_session(key=KEY, title="", context={}, now=deployment.clock())
    await here.artifacts.save(key=key, data=b"x = 1\n")
    turn, call_id = await ask(gemini, here)
    await here.artifacts.save(key=key, data=b"x = 2\n")
    with pytest.raises(ApprovalConflictError, match="changed"):
        await decide(here, turn, call_id, True)
    assert deployment.outside.launches == []
    gemini.script(reply("Not launched."))
    await decide(here, turn, call_id, False)
    assert (await here.wait(turn)).response.endswith("Not launched.")


async def test_of_many_answers_at_once_one_counts(deployment: Deployment, gemini: GeminiServer) -> None:
    here, there = await deployment.instance(), await deployment.instance()
    turn, call_id = await ask(gemini, here)
    gemini.script(reply("Done."))
    answers = await asyncio.gather(
        *(decide(instance, turn, call_id, True) for instance in (here, there) for _ in range(8)),
        return_exceptions=True,
    )
    taken = [answer for answer in answers if isinstance(answer, Turn)]
    refused = [answer for answer in answers if isinstance(answer, ApprovalConflictError)]
    assert (len(taken), len(refused)) == (1, 15)
    assert (await here.wait(turn)).status == "completed"
    assert deployment.outside.launches == [(effect_id(turn.turn_id, call_id), "bot")]


async def test_calls_beside_it_run_at_once_and_each_question_is_its_own(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    save = call("save_artifact", {"filename": "notes.md", "content": "hi"})
    gemini.script(reply(call("launch", {"name": "one"}), save, call("launch", {"name": "two"})))
    turn = await here.wait(await here.begin("Do it"))
    first, _, second = (asked.id for asked, _ in turn.tool_calls)
    assert here.runner.calls == ["save_artifact"]
    # The files changed before the questions, not after: both yeses hold.
    turn = await here.wait(await decide(here, turn, first, True))
    assert turn.status == "paused"
    assert deployment.outside.launches == [(effect_id(turn.turn_id, first), "one")]
    gemini.script(reply("One is launched, two is not."))
    ended = await here.wait(await decide(here, turn, second, False))
    assert ended.status == "completed"
    assert deployment.outside.launches == [(effect_id(turn.turn_id, first), "one")]


async def test_a_paused_session_says_what_it_waits_for(deployment: Deployment, gemini: GeminiServer) -> None:
    here = await deployment.instance()
    turn, call_id = await ask(gemini, here)
    with pytest.raises(ApprovalRequiredError):
        await here.begin("And now?")
    with pytest.raises(ApprovalRequiredError):
        await here.engine.resume(user_id=KEY.user_id, turn_id=turn.turn_id)
    gemini.script(reply("Leaving it."))
    newer = await here.wait(await here.begin("Forget it", if_busy="interrupt"))
    assert newer.status == "completed"
    with pytest.raises(ApprovalConflictError):
        await decide(here, turn, call_id, True)
    assert deployment.outside.launches == []


async def test_another_users_yes_is_none(deployment: Deployment, gemini: GeminiServer) -> None:
    here = await deployment.instance()
    turn, call_id = await ask(gemini, here)
    with pytest.raises(Exception, match="no such turn"):
        await here.engine.decide(user_id="mallory", turn_id=turn.turn_id, call_id=call_id, approved=True)
    with pytest.raises(ApprovalConflictError):
        await decide(here, turn, "another-call", True)
    assert deployment.outside.launches == []
