"""A session of a thousand messages through the real engine and store: what the model is sent at its end."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from shared.agent.tokens import json_text, tokens_of, tokens_of_text, tokens_of_tools
from shared.model.port import ModelRequest
from tests.servers.gemini import GeminiServer, Request
from tests.servers.gemini_answers import Answer, reply
from tests.shared.agent.whole.session import KEY, MESSAGES, TOKENS, WholeSession, engine_on

FIRST = "My bot trades SOL/USDT only, on 4h candles, and must never hold more than 250 USDT."
TURNS = 500


def check(request: ModelRequest) -> None:
    """What holds of every request: the budget, the window, the alternation of roles."""
    sent = tokens_of_text(request.system) + tokens_of_tools(request.tools) + tokens_of(request.messages)
    assert sent <= TOKENS
    assert len(request.messages) <= MESSAGES + 1
    assert request.messages[0].role == "user"
    assert request.messages[-1].role in ("user", "tool")
    for before, after in itertools.pairwise(request.messages):
        assert before.role != after.role


async def test_with_the_offline_planner_the_first_requirement_is_still_sent(offline: WholeSession) -> None:
    await offline.say(FIRST)
    for number in range(2, TURNS):
        await offline.say(f"Thank you, remark {number}")
    await offline.say("What did I ask for first?")
    for request in offline.model.requests:
        check(request)
    last = offline.model.requests[-1]
    assert FIRST in last.system
    assert not any(FIRST in message.text for message in last.messages)
    # The newest turns are there as they were said.
    assert any(f"remark {TURNS - 1}" in message.text for message in last.messages)
    page = await (await offline.resources.store()).list_turns(key=KEY, limit=1, cursor=None)
    assert page.items[0].number == TURNS


async def test_with_gemini_the_summary_is_the_models_and_is_seldom_made(
    gemini: GeminiServer, live: WholeSession
) -> None:
    def answer(request: Request) -> Answer:
        if "You keep the notes" in json_text(request.body["systemInstruction"]):
            newest = re.findall(r'"turn":(\d+)', request.last_user_text)[-1]
            return reply(f"The user trades SOL/USDT on 4h candles, at most 250 USDT. Up to turn {newest}.")
        return reply("Noted.")

    gemini.always(answer)
    await live.say(FIRST)
    for number in range(2, TURNS + 1):
        await live.say(f"Remark number {number} of many")
    asked = [request for request in gemini.requests if not _is_summary(request)]
    made = [request for request in gemini.requests if _is_summary(request)]
    assert len(asked) == TURNS
    # Down to half of the window each time: a summary in eleven turns, each knowing the one before.
    assert len(made) == pytest.approx(TURNS / (MESSAGES / 4 + 1), abs=2)
    assert "Up to turn" in made[-1].last_user_text
    last = asked[-1].body
    prompt = json_text(last["systemInstruction"])
    assert FIRST in prompt
    assert re.search(r"Up to turn 4[789]\d\.", prompt)
    assert prompt.count("</untrusted_data>") == 1
    assert len(last["contents"]) <= MESSAGES + 1
    roles = [content["role"] for content in last["contents"]]
    assert all(before != after for before, after in itertools.pairwise(roles))
    for request in live.model.requests:
        if "You keep the notes" not in request.system:
            check(request)


async def test_a_session_from_before_there_were_summaries_is_summed_up(offline: WholeSession) -> None:
    wide = await engine_on(offline.resources, offline.model, 10_000, 1_000_000)
    narrow, offline.engine = offline.engine, wide
    await offline.say(FIRST)
    for number in range(2, 120):
        await offline.say(f"Thank you, remark {number}")
    assert offline.model.requests[-1].messages[0].text == FIRST
    await wide.close()
    offline.engine = narrow
    await offline.say("Thank you, remark 120")
    check(offline.model.requests[-1])
    prompt = offline.model.requests[-1].system
    assert FIRST in prompt
    # From the gap that the history read does not reach, and from its end.
    assert "remark 70" not in str(offline.model.requests[-1].messages)
    assert "(turn 2)" in prompt
    assert "(turn 109)" in prompt


async def test_what_a_summary_took_is_counted_with_the_turn(gemini: GeminiServer, live: WholeSession) -> None:
    gemini.always(reply("A reply that is long enough to be notes of a session.", usage=(100, 20, 0)))
    used: list[int] = []
    for number in range(MESSAGES // 2 + 2):
        used.append((await live.say(f"Remark number {number} of many")).usage.total_tokens)
    assert used == [120] * (MESSAGES // 2 + 1) + [240]


def _is_summary(request: Request) -> bool:
    instruction: dict[str, Any] = request.body["systemInstruction"]
    return "You keep the notes" in json_text(instruction)
