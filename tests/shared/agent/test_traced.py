"""A turn is a span where it was asked for, also when it waited for its session or is taken up again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.agent.traced import turn_span, turn_told
from shared.tracing.spans import Within
from shared.turn import ResumedStep
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import Gate, reply
from tests.shared.agent.rig import Deployment
from tests.shared.tracing.collecting import ELSEWHERE, PLACE, collecting

TURN = "invoke_agent the0-agent"


@pytest.fixture
def backend_url(sqlite_url: str) -> str:
    """One kind of database is enough here."""
    return sqlite_url


async def test_a_turn_that_waited_belongs_to_its_own_request(
    deployment: Deployment, gemini: GeminiServer
) -> None:
    here = await deployment.instance()
    gate = Gate()
    gemini.script(reply("One", gate), reply("Two"))
    with collecting() as found:
        with Within(PLACE):
            first = await here.begin("One")
        with Within(ELSEWHERE):
            second = await here.begin("Two", if_busy="wait")
        assert second.status == "waiting"
        gate.open()
        assert (await here.wait(first)).status == "completed"
        turn = await here.wait(second)
        assert turn.status == "completed"
        one, two = (span for span in found.spans if span.title == TURN)
        assert (one.parent, two.parent) == (PLACE, ELSEWHERE)
        assert (one.links, two.links) == ((), ())
        assert two.attributes["the0.turn.id"] == second.turn_id
        assert two.attributes["the0.turn.status"] == "completed"
        # Whoever takes it up again will know.
        again = replace(turn, steps=(*turn.steps, ResumedStep()))
        with Within(PLACE), turn_span(again) as work:
            turn_told(work, again)
        resumed = found.spans[-1]
        assert (resumed.parent, resumed.links) == (PLACE, (ELSEWHERE,))
        assert resumed.attributes["the0.turn.resumed"] is True
