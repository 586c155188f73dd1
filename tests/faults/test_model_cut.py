"""The model's stream breaks off in the midst of a turn."""

from __future__ import annotations

import pytest

from tests.faults.deployment import Deployment, check_failure
from tests.faults.outcome import outcome_of, undisturbed
from tests.faults.script import TEXTS, Script
from tests.servers.gemini import GeminiServer


@pytest.mark.parametrize("kept_url", ["sqlite"], indirect=True)
async def test_a_cut_stream_is_told_and_the_turn_goes_on_when_the_request_is_repeated(
    deployment: Deployment, script: Script, model: GeminiServer
) -> None:
    deployment.start()
    expected, _ = await undisturbed(deployment)
    for round_ in range(len(TEXTS)):
        session = f"cut-{round_}"
        script.cuts.add((session, round_))
        heard = await deployment.say(session)
        assert (heard.ended, heard.last["type"], heard.last["code"]) == ("done", "error", "model_unavailable")
        check_failure(heard)
        turn = await deployment.get(f"/chat/turns/{heard.turn_id}")
        # What was said is kept.
        assert TEXTS[round_][: len(TEXTS[round_]) // 2].strip() in turn["response"]
        await deployment.insist(session)
        assert (await outcome_of(deployment, session)).effects == expected.effects
    script.cuts.add(("asked", 0))
    refused = await deployment.ask("asked")
    assert (refused.status_code, refused.json()["code"]) == (503, "model_unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert (await deployment.ask("asked")).status_code == 200
    assert (await outcome_of(deployment, "asked")).effects == expected.effects
