"""SIGKILL at every recorded step of a turn, and amid every reply: the turn goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.faults.deployment import Deployment
from tests.faults.heard import Heard, text_by_step
from tests.faults.outcome import Outcome, outcome_of
from tests.faults.script import STEPS, TEXTS, Script

stores = pytest.mark.parametrize("kept_url", ["sqlite", "postgres"], indirect=True)
_SPOKEN = [text.strip() for text in TEXTS if text]


async def undisturbed(deployment: Deployment) -> tuple[Outcome, Heard]:
    """What the turn leaves when nothing happens, and what is heard of it."""
    heard = await deployment.say("calm")
    assert heard.last["type"] == "complete", heard
    outcome = await outcome_of(deployment, "calm")
    assert [len(versions) for versions in outcome.files.values()] == [2, 1]
    assert outcome.events == [
        "ai.artifact.created",
        "ai.artifact.created",
        "ai.artifact.created",
        "ai.bot.suggestion",
        "ai.turn.completed",
    ]
    return outcome, heard


def check_heard(first: Heard, rest: Heard, whole: Heard) -> None:
    """What was heard before the kill and after it is the whole stream: nothing twice, nothing missing."""
    events = [*first.events, *rest.events]
    texts = [text.strip() for text in text_by_step(events)]
    # A reply that was cut and asked for anew left its beginning.
    said = [text for text in texts if text in _SPOKEN]
    assert said == _SPOKEN, texts
    assert all(any(spoken.startswith(text) for spoken in _SPOKEN) for text in texts)
    for kind in ("tool_call", "tool_result", "artifacts", "complete"):
        assert _shown(events, kind) == _shown(whole.events, kind)


def _shown(events: list[tuple[str, dict[str, Any]]], kind: str) -> list[str]:
    return sorted(str(_plain(event)) for _, event in events if event["type"] == kind)


def _plain(value: Any) -> Any:
    """Without the ids and times that no two runs share."""
    if not isinstance(value, dict):
        return value
    dropped = ("id", "turn_id", "session_id", "event_id", "duration_ms")
    return {name: _plain(inner) for name, inner in value.items() if name not in dropped}


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
            await deployment.until(lambda now=(session, round_): now in script.answered)
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
    await deployment.until(lambda: ("once", 1) in script.answered)
    deployment.kill()
    gate.open()
    deployment.start()
    first = await speaking
    check_heard(first, await deployment.take_up(first), whole)
    assert await outcome_of(deployment, "once") == expected
