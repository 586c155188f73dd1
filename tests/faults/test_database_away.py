"""Postgres crashes, hangs, or loses the answer to a commit, in the midst of turns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults.deployment import Deployment, check_failure
from tests.faults.heard import Heard
from tests.faults.outcome import check_heard, outcome_of, undisturbed
from tests.faults.script import Script, message_of
from tests.servers.gemini import GeminiServer
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import commit_proxy

AWAY_SECONDS = 5.0
# Whatever hangs, a client has its answer by then.
BOUND_SECONDS = 30.0

pytestmark = pytest.mark.parametrize("kept_url", ["postgres"], indirect=True)


@pytest.fixture
def database(mortal_postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which answers again when the test ends."""
    yield mortal_postgres
    mortal_postgres.revive()


@pytest.mark.long
async def test_away_for_five_seconds_in_mid_turn_the_turn_waits(
    deployment: Deployment, script: Script, database: PostgresServer
) -> None:
    deployment.settings["TURN_LEASE_SECONDS"] = "30"
    deployment.start()
    expected, whole = await undisturbed(deployment)
    gate = script.hold("away", 0, 1)
    speaking = asyncio.create_task(deployment.say("away"))
    await deployment.until(partial(script.has_answered, "away", 0))
    database.crash()
    gate.open()
    # The fault itself.
    await asyncio.sleep(AWAY_SECONDS)
    assert not speaking.done()
    database.start()
    heard = await speaking
    assert heard.last["type"] == "complete", heard.last
    check_heard(await deployment.say("away"), Heard(), whole)
    assert await outcome_of(deployment, "away") == expected


async def test_away_for_longer_the_client_is_told_and_may_repeat(
    deployment: Deployment, script: Script, database: PostgresServer, model: GeminiServer
) -> None:
    deployment.start()
    expected, _ = await undisturbed(deployment)
    gate = script.hold("away", 1, 1)
    speaking = asyncio.create_task(deployment.say("away"))
    await deployment.until(partial(script.has_answered, "away", 1))
    database.crash()
    gate.open()
    heard = await speaking
    assert (heard.ended, heard.last["type"], heard.last["code"]) == ("done", "error", "store_unavailable")
    check_failure(heard)
    asked = len(model.requests)
    for path in ("/chat", "/chat/stream", "/api/agent/chat"):
        refused = await deployment.client.post(path, json={"message": message_of("new"), "session_id": "new"})
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["retry-after"]) >= 1
    # What could not be kept was not asked: nothing was paid.
    assert len(model.requests) == asked
    database.start()
    await deployment.insist("away")
    assert await outcome_of(deployment, "away") == expected
    await deployment.insist("new")
    assert await outcome_of(deployment, "new") == expected


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_hanging_the_client_has_its_answer_in_time(
    deployment: Deployment, script: Script, database: PostgresServer, model: GeminiServer
) -> None:
    deployment.settings["TURN_LEASE_SECONDS"] = "30"
    deployment.start()
    expected, _ = await undisturbed(deployment)
    gate = script.hold("hung", 1, 1)
    speaking = asyncio.create_task(deployment.say("hung"))
    await deployment.until(partial(script.has_answered, "hung", 1))
    database.hang()
    began = time.monotonic()
    gate.open()
    asked = len(model.requests)
    new = await asyncio.gather(*(deployment.say(f"new-{number}") for number in range(15)))
    for refused in new:
        assert (refused.status, refused.problem["code"]) == (503, "store_unavailable")
        assert "retry-after" in refused.headers
    assert time.monotonic() - began < BOUND_SECONDS
    assert len(model.requests) == asked
    heard = await speaking
    assert time.monotonic() - began < BOUND_SECONDS
    assert heard.last["code"] == "store_unavailable"
    check_failure(heard)
    database.go_on()
    await deployment.insist("hung")
    # A last write may have been done when the database went on: then the turn ended once before.
    assert (await outcome_of(deployment, "hung")).effects == expected.effects


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_commits_whose_answers_are_lost_have_one_effect(
    deployment: Deployment, kept_url: str, cut: str
) -> None:
    async with commit_proxy(kept_url) as proxy:
        deployment.settings["DATABASE_URL"] = proxy.url
        deployment.start()
        expected, whole = await undisturbed(deployment)
        proxy.cut = "after" if cut == "after" else "before"
        # One is cured inside; five at a time reach the client, which repeats its request.
        for at_once in (1, 5):
            for skipped in range(12):
                session = f"lost-{at_once}-{skipped}"
                proxy.skip, proxy.times = skipped, at_once
                heard = await deployment.insist(session)
                outcome = await outcome_of(deployment, session)
                assert outcome.effects == expected.effects, session
                if at_once == 1:
                    check_heard(heard, Heard(), whole)
                    assert outcome == expected, session
        assert proxy.cuts >= 24
        proxy.times = 0
