"""An instance that stands still for longer than its lease: another goes on, and the first is fenced off."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.faults.deployment import Deployment
from tests.faults.outcome import check_heard, outcome_of, undisturbed
from tests.faults.script import Script
from tests.servers.gemini import GeminiServer


@pytest.mark.long
@pytest.mark.parametrize("kept_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("round_", [0, 1, 3])
async def test_what_it_writes_when_it_wakes_is_refused(
    deployment: Deployment, tmp_path: Path, kept_url: str, model: GeminiServer, script: Script, round_: int
) -> None:
    deployment.start()
    expected, whole = await undisturbed(deployment)
    async with Deployment(tmp_path, model, kept_url, name="other") as other:
        other.start()
        gate = script.hold("paused", round_, 1)
        speaking = asyncio.create_task(deployment.say("paused"))
        await deployment.until(partial(script.has_answered, "paused", round_))
        first = await deployment.opening("paused")
        assert deployment.agent is not None
        deployment.agent.process.send_signal(signal.SIGSTOP)
        gate.open()
        rest = await other.take_up(first)
        check_heard(first, rest, whole)
        assert await outcome_of(other, "paused") == expected
        deployment.agent.process.send_signal(signal.SIGCONT)
        # Its own client hears the end that the other instance recorded.
        assert (await speaking).last["type"] == "complete"
        assert await outcome_of(other, "paused") == expected
