"""The offline planner and the language of a bot: Node.js by its names, TypeScript in words, how to run it."""

from __future__ import annotations

import pytest

from tests.shared.model.conversations import Talk


@pytest.mark.parametrize(
    "words", ["in Node.js", "in nodejs", "in JavaScript", "using node", "with TypeScript", "in JS"]
)
def test_node_is_chosen_by_its_names(words: str) -> None:
    talk = Talk()
    said = talk.say(f"build an RSI bot for bitcoin {words}, buy under 20")
    arguments = talk.arguments("create_bot_template")
    assert arguments["language"] == "nodejs"
    assert arguments["parameters"] == {"symbol": "BTC/USDT", "buy_below": 20}
    assert "npm install" in said
    assert "node main.js" in said
    assert "pip install" not in said
    assert ("plain JavaScript" in talk.replies[0]) == ("TypeScript" in words)


def test_python_is_not_said_to_the_tool_and_has_its_own_commands() -> None:
    talk = Talk()
    said = talk.say("build an RSI bot for bitcoin, buy under 20")
    assert "language" not in talk.arguments("create_bot_template")
    assert "python main.py" in said
    assert "npm" not in said


def test_a_bot_that_is_there_is_built_anew_in_another_language() -> None:
    talk = Talk()
    talk.say("build an RSI bot for bitcoin, buy under 20")
    said = talk.say("make it in Node.js")
    assert talk.arguments("create_bot_template")["language"] == "nodejs"
    assert "node main.js" in said
