"""What the offline planner does when the template tool refuses: corrects what it can, asks for the rest."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages import ToolCall
from tests.shared.model.conversations import Refused, Talk, build_answer, refusing


def test_a_value_out_of_range_is_corrected_once_and_told() -> None:
    def limited(call: ToolCall) -> dict[str, Any]:
        if call.arguments["parameters"].get("rsi_period", 0) > 60:
            raise Refused(
                "parameters: rsi_period: Input should be less than or equal to 60 "
                "(it takes a integer from 2 to 60: candles of the RSI)"
            )
        return build_answer(call)

    talk = Talk(answers={"create_bot_template": limited})

    answer = talk.say("RSI bot for BTC, period 99")

    assert talk.arguments("create_bot_template")["parameters"]["rsi_period"] == 60
    assert "`rsi_period`: 99 is out of range, the nearest is 60" in answer


@pytest.mark.parametrize(
    ("words", "problem", "name", "value"),
    [
        (
            "momentum rotation over BTC, ETH, SOL and ADA, every 5 hours",
            "interval_hours must be at least as long as one candle of the timeframe",
            "timeframe",
            "4h",
        ),
        (
            "momentum rotation over BTC, ETH and SOL",
            "top_count must be less than the number of markets",
            "top_count",
            2,
        ),
    ],
)
def test_what_was_not_said_is_made_to_fit_what_was(words: str, problem: str, name: str, value: Any) -> None:
    def strict(call: ToolCall) -> dict[str, Any]:
        if name not in call.arguments["parameters"]:
            raise Refused(f"parameters: {problem}")
        return build_answer(call)

    talk = Talk(answers={"create_bot_template": strict})

    answer = talk.say(words)

    assert talk.arguments("create_bot_template")["parameters"][name] == value
    assert f"`{name}`: {value}, as" in answer


def test_an_unknown_parameter_is_left_out() -> None:
    def strict(call: ToolCall) -> dict[str, Any]:
        if "buy_below" in call.arguments["parameters"]:
            raise Refused("parameters: rsi_momentum has no 'buy_below'; it takes symbol")
        return build_answer(call)

    talk = Talk(answers={"create_bot_template": strict})

    assert "is ready" in talk.say("RSI bot for BTC, buy under 20")


@pytest.mark.parametrize(
    "problem",
    [
        "parameters: buy_below must be less than sell_above",
        "parameters: rsi_period: Input should be less than or equal to 60 (it takes a integer from 2 to "
        "60: x)",
        "the disk is full",
        "",
    ],
)
def test_a_tool_that_keeps_failing_ends_the_turn_with_its_reason(problem: str) -> None:
    talk = Talk(answers={"create_bot_template": refusing(problem)})

    answer = talk.say("RSI bot for BTC, period 99, buy under 80")

    assert talk.names.count("create_bot_template") <= 2
    assert "could not be written" in answer
    assert problem in answer


def test_other_values_after_a_failure_complete_the_request() -> None:
    def check(call: ToolCall) -> dict[str, Any]:
        return build_answer(call)

    talk = Talk(answers={"create_bot_template": check})
    assert "buy_below must be less than sell_above" in talk.say("RSI bot for DOGE, buy under 80")

    talk.say("buy under 20, sell over 60")

    assert talk.arguments("create_bot_template")["parameters"] == {
        "symbol": "DOGE/USDT", "buy_below": 20, "sell_above": 60,
    }  # fmt: skip
