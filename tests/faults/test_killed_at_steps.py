"""SIGKILL at every recorded step of a turn, and amid every reply: the turn goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from functools import partial

import httpx
import pytest

from tests.faults.deployment import Deployment
from tests.faults.heard import Heard
from tests.faults.outcome import check_heard, outcome_of, undisturbed
from tests.faults.script import STEPS, TEXTS, Script

stores = pytest.mark.parametrize("kept_url", ["sqlite", "postgres"], indirect=True)


async def _killed_when(deployment: Deployment, session: str, table: str, rows: int) -> Heard:
    speaking = asyncio.create_task(deployment.say(session))
    # The tables are named here alone.
    await deployment.watcher.until(table, session, rows)  # type: ignore[arg-type]
    deployment.kill()
    deployment.start()
    return await speaking


@stores
@pytest.mark.long
@pytest.mark.timeout(400)
async def test_killed_at_every_recorded_step(deployment: Deployment) -> None:
    deployment.start()
    expected, whole = await undisturbed(deployment)
    for number, steps in enumerate(STEPS):
        session = f"step-{steps}"
        first = await _killed_when(deployment, session, "steps", steps)
        if number % 2 or first.turn_id is None:
            await deployment.insist(session)
        else:
            check_heard(first, await deployment.take_up(first), whole)
        assert await outcome_of(deployment, session) == expected, session


@stores
@pytest.mark.long
@pytest.mark.timeout(400)
async def test_killed_as_soon_as_a_tool_has_its_effect(deployment: Deployment) -> None:
    deployment.start()
    expected, whole = await undisturbed(deployment)
    for table, rows in (("artifact_versions", 1), ("artifact_versions", 2), ("held_events", 2)):
        session = f"effect-{table}-{rows}"
        first = await _killed_when(deployment, session, table, rows)
        check_heard(first, await deployment.take_up(first), whole)
        assert await outcome_of(deployment, session) == expected, session


@stores
@pytest.mark.long
@pytest.mark.timeout(400)
async def test_killed_before_and_amid_every_reply(deployment: Deployment, script: Script) -> None:
    deployment.start()
    expected, whole = await undisturbed(deployment)
    for round_ in range(len(TEXTS)):
        for place in (0, 1):
            session = f"reply-{round_}-{place}"
            gate = script.hold(session, round_, place)
            speaking = asyncio.create_task(deployment.say(session))
            await deployment.until(partial(script.has_answered, session, round_))
            deployment.kill()
            gate.open()
            deployment.start()
            check_heard(await speaking, await deployment.take_up(await speaking), whole)
            assert await outcome_of(deployment, session) == expected, session


@pytest.mark.parametrize("kept_url", ["sqlite"], indirect=True)
async def test_killed_amid_a_reply(deployment: Deployment, script: Script) -> None:
    deployment.start()
    expected, whole = await undisturbed(deployment)
    gate = script.hold("once", 1, 1)
    speaking = asyncio.create_task(deployment.say("once"))
    await deployment.until(partial(script.has_answered, "once", 1))
    deployment.kill()
    gate.open()
    deployment.start()
    first = await speaking
    check_heard(first, await deployment.take_up(first), whole)
    assert await outcome_of(deployment, "once") == expected


@pytest.mark.parametrize("kept_url", ["sqlite"], indirect=True)
async def test_the_same_request_repeated_at_once_goes_on_by_itself(
    deployment: Deployment, script: Script
) -> None:
    deployment.settings["TURN_LEASE_SECONDS"] = "10"
    deployment.start()
    expected, _ = await undisturbed(deployment)
    gate = script.hold("soon", 1, 1)
    asking = asyncio.create_task(deployment.ask("soon"))
    await deployment.until(partial(script.has_answered, "soon", 1))
    # Renewed three times in its time: the dead process's lease still holds when the request is repeated.
    deployment.kill()
    gate.open()
    with pytest.raises(httpx.TransportError):
        await asking
    deployment.start()
    answer = await deployment.ask("soon")
    assert (answer.status_code, answer.json()["finish_reason"]) == (200, "stop")
    assert await outcome_of(deployment, "soon") == expected
