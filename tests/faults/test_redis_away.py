"""Redis is killed, or hangs, in the midst of turns: slower, degraded, nothing else."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Literal

import pytest

from tests.faults.deployment import Deployment
from tests.faults.heard import Heard
from tests.faults.outcome import check_heard, outcome_of, undisturbed
from tests.faults.script import Script
from tests.servers.valkey import ValkeyServer


@pytest.mark.long
@pytest.mark.parametrize("kept_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("fault", ["killed", "hung"])
async def test_turns_lose_nothing_by_it(
    deployment: Deployment, script: Script, valkey: ValkeyServer, fault: Literal["killed", "hung"]
) -> None:
    deployment.settings["REDIS_URL"] = valkey.url
    deployment.start()
    expected, whole = await undisturbed(deployment)
    gate = script.hold("running", 1, 1)
    speaking = asyncio.create_task(deployment.say("running"))
    await deployment.until(partial(script.has_answered, "running", 1))
    if fault == "killed":
        valkey.kill()
    else:
        valkey.hang()
    gate.open()
    began = time.monotonic()
    check_heard(await speaking, Heard(), whole)
    check_heard(await deployment.say("new"), Heard(), whole)
    assert time.monotonic() - began < 10
    for session in ("running", "new"):
        assert await outcome_of(deployment, session) == expected
    health = await deployment.get("/health")
    assert (health["status"], health["checks"]["database"]) == ("degraded", "healthy")
    if fault == "killed":
        valkey.start()
    else:
        valkey.go_on()
    await deployment.say("after")
    assert await outcome_of(deployment, "after") == expected
    deadline = time.monotonic() + 20
    while (await deployment.get("/health"))["status"] != "healthy":
        assert time.monotonic() < deadline, "it stays degraded"
        await asyncio.sleep(0.2)
