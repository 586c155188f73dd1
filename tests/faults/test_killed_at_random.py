"""SIGKILL at random moments, with several turns at different places: each goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from tests.faults.deployment import Deployment
from tests.faults.outcome import check_heard, outcome_of, undisturbed
from tests.faults.script import Script

KILLS = 25
TURNS = 3


@pytest.mark.parametrize(
    ("kept_url", "seed", "kills"),
    [
        pytest.param("sqlite", 1, KILLS, marks=pytest.mark.long),
        pytest.param("postgres", 2, KILLS, marks=pytest.mark.long),
        ("postgres", 3, 1),
    ],
    indirect=["kept_url"],
)
@pytest.mark.timeout(600)
async def test_killed_at_random_moments(
    deployment: Deployment, script: Script, seed: int, kills: int
) -> None:
    chance = random.Random(seed)
    script.pause = 0.02
    deployment.start()
    expected, whole = await undisturbed(deployment)
    began = time.monotonic()
    await deployment.say("warm")
    seconds = time.monotonic() - began
    for kill in range(kills):
        sessions = [f"kill-{kill}-{turn}" for turn in range(TURNS)]
        speaking = [asyncio.create_task(deployment.say(session)) for session in sessions]
        # The moment itself is what is tested.
        await asyncio.sleep(chance.uniform(0, TURNS * seconds))
        deployment.kill()
        deployment.start()
        for session, first in zip(sessions, await asyncio.gather(*speaking), strict=True):
            if first.turn_id is None or chance.random() < 0.5:
                await deployment.insist(session)
            else:
                check_heard(first, await deployment.take_up(first), whole)
            assert await outcome_of(deployment, session) == expected, (seed, session)
