"""Whole turns of the offline planner: what it calls, in which order, and what it tells the user."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.messages import ToolCall
from shared.model.offline.plan import INTRODUCTION, next_reply
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.fields import bot_fields, bot_schema
from tests.shared.model.conversations import Talk, build_answer, reading, refusing

REQUEST = (
    "Build me an RSI momentum bot for BTC/USDT on hourly candles, buy under 30, sell over 70, risk 1% a trade"
)


def test_a_build_says_what_it_understood_builds_checks_and_hands_over() -> None:
    talk = Talk()

    answer = talk.say(REQUEST)

    assert talk.names == ["create_bot_template", "search_documentation", "analyze_code", "verify_bot"]
    assert talk.arguments("create_bot_template") == {
        "strategy_type": "rsi_momentum",
        "parameters": {
            "symbol": "BTC/USDT", "timeframe": "1h", "risk_per_trade_pct": 1, "buy_below": 30,
            "sell_above": 70,
        },
    }  # fmt: skip
    for word in ("RSI momentum", "BTC/USDT", "1h", "risk per trade: 1%", "30", "70"):
        assert word in talk.replies[0]
    for word in ("`strategy.py`", "`stop_loss_pct` 3%", "**97** of 100", "data_source", "python main.py"):
        assert word in answer
    assert "`backtesting.md#Replaying candles from a file`" in answer


def test_the_template_and_the_documentation_are_asked_in_one_reply() -> None:
    talk = Talk()
    talk.say(REQUEST)

    first = next(message for message in talk.messages if message.role == "assistant")

    assert [call.name for call in first.tool_calls] == ["create_bot_template", "search_documentation"]


def test_only_the_first_answer_of_a_session_introduces_the_planner() -> None:
    talk = Talk()

    talk.say(REQUEST)
    assert [INTRODUCTION in reply for reply in talk.replies] == [True, False, False]

    talk.say("hello")
    assert INTRODUCTION not in talk.replies[0]


def test_a_change_keeps_name_and_all_parameters_and_says_what_changed() -> None:
    talk = Talk()
    talk.say(REQUEST)

    def changed(call: ToolCall) -> dict[str, Any]:
        files = [
            {"filename": "bot-schema.json", "version": 2, "outcome": "updated"},
            {"filename": "strategy.py", "version": 1, "outcome": "unchanged"},
        ]
        return build_answer(call) | {"version": "1.0.1", "files": files}

    talk.answers["create_bot_template"] = changed
    answer = talk.say("make it buy under 25 and add a 2% stop loss")

    arguments = talk.arguments("create_bot_template")
    assert arguments["name"] == "rsi-momentum-btc-usdt"
    assert arguments["parameters"] == {
        "symbol": "BTC/USDT", "exchange": "binance", "timeframe": "1h", "risk_per_trade_pct": 1,
        "stop_loss_pct": 2, "take_profit_pct": None, "max_position_pct": 20, "max_trades_per_day": 5,
        "paper_balance": 10000, "rsi_period": 14, "buy_below": 25, "sell_above": 70,
    }  # fmt: skip
    assert "`stop_loss_pct`: 3% → 2%" in answer
    assert "`buy_below`: 30 → 25" in answer
    assert "updated: `bot-schema.json` (version 2)" in answer
    assert "unchanged: `strategy.py`" in answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use 4h candles", {"timeframe": "4h"}),
        ("switch to ETH", {"symbol": "ETH/USDT"}),
        ("no stop loss", {"stop_loss_pct": None}),
        ("30 -> 22", {"buy_below": 22}),
        ("run it every weekday at 9am", {"schedule": "0 9 * * 1-5"}),
    ],
)
def test_small_changes(text: str, expected: dict[str, Any]) -> None:
    talk = Talk()
    talk.say(REQUEST)

    talk.say(text)

    parameters = talk.arguments("create_bot_template")["parameters"]
    assert {name: parameters[name] for name in expected} == expected
    assert parameters.keys() >= {"rsi_period", "buy_below", "sell_above", "max_position_pct"}


def test_a_schedule_by_the_timeframe_is_not_kept_but_one_that_was_asked_for_is() -> None:
    talk = Talk()
    talk.say(REQUEST)
    talk.say("sell over 75")
    assert "schedule" not in talk.arguments("create_bot_template")["parameters"]

    talk.say("run it every 4 hours")
    talk.say("sell over 80")
    assert talk.arguments("create_bot_template")["parameters"]["schedule"] == "0 */4 * * *"


def test_name_and_type_change_without_touching_the_parameters() -> None:
    talk = Talk()
    talk.say(REQUEST)

    talk.say("call it my-bot")
    assert talk.arguments("create_bot_template")["name"] == "my-bot"

    talk.say("make it realtime and switch to SOL")
    arguments = talk.arguments("create_bot_template")
    assert (arguments["name"], arguments["bot_type"]) == ("my-bot", "realtime")
    assert (arguments["parameters"]["symbol"], arguments["parameters"]["buy_below"]) == ("SOL/USDT", 30)


def test_a_derived_name_follows_the_market() -> None:
    talk = Talk()
    talk.say(REQUEST)

    talk.say("switch to ETH")

    assert "name" not in talk.arguments("create_bot_template")


def test_another_strategy_takes_over_the_market_and_the_limits_that_were_stated() -> None:
    talk = Talk()
    talk.say(REQUEST + ", on kraken")

    talk.say("use bollinger instead with 2.5 deviations")

    arguments = talk.arguments("create_bot_template")
    assert arguments["strategy_type"] == "mean_reversion"
    assert arguments["parameters"] == {
        "symbol": "BTC/USDT", "exchange": "kraken", "timeframe": "1h", "risk_per_trade_pct": 1,
        "bollinger_std": 2.5,
    }  # fmt: skip


def test_bounds_of_a_grid_replace_its_centre() -> None:
    talk = Talk()
    talk.say("grid bot for BTC around 55000 with 8 levels")
    assert talk.arguments("create_bot_template")["parameters"]["centre_price"] == 55000

    talk.say("set it between 50k and 60k")

    parameters = talk.arguments("create_bot_template")["parameters"]
    assert "centre_price" not in parameters
    assert (parameters["lower_price"], parameters["upper_price"]) == (50000, 60000)


def test_undo_builds_the_bot_as_it_was() -> None:
    talk = Talk()
    talk.say(REQUEST)
    talk.say("buy under 22")

    talk.say("undo that")

    assert talk.arguments("create_bot_template")["parameters"]["buy_below"] == 30


def files_of(strategy: str, **values: Any) -> dict[str, str]:
    """bot-config.yaml and bot-schema.json as the tool leaves them."""
    record = STRATEGIES[strategy]
    fields = bot_fields(strategy=record, parameters=record.model.model_validate(values), bot_type="scheduled")
    return {
        "bot-config.yaml": f'name: "kept-bot"\ntype: "scheduled"\nmetadata:\n  strategy: "{strategy}"\n',
        "bot-schema.json": json.dumps(bot_schema(title="t", fields=fields)),
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_bot_that_fell_out_of_the_history_is_read_from_its_files(strategy: str) -> None:
    talk = Talk(
        answers={"read_artifact": reading(files_of(strategy, symbol="ADA/EUR", max_trades_per_day=7))}
    )

    talk.say("add a 6% take profit and use kraken")

    assert talk.names[:3] == ["read_artifact", "read_artifact", "create_bot_template"]
    arguments = talk.arguments("create_bot_template")
    assert (arguments["strategy_type"], arguments["name"]) == (strategy, "kept-bot")
    parameters = arguments["parameters"]
    symbol = STRATEGIES[strategy].model(symbol="ADA/EUR").symbol
    assert (parameters["symbol"], parameters["max_trades_per_day"]) == (symbol, 7)
    assert (parameters["take_profit_pct"], parameters["exchange"]) == (6, "kraken")
    assert not {"data_source", "api_key", "live_trading"} & set(parameters)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_strategy_is_known_by_its_parameters_when_the_configuration_is_spoilt(strategy: str) -> None:
    files = files_of(strategy) | {"bot-config.yaml": "{["}
    talk = Talk(answers={"read_artifact": reading(files)})

    talk.say("max 3 trades a day")

    assert talk.arguments("create_bot_template")["strategy_type"] == strategy


@pytest.mark.parametrize("schema", ["", "[" * 50_000, '{"properties": {"a": 1}}', "null"])
def test_files_that_tell_nothing_are_no_bot(schema: str) -> None:
    files = {"bot-config.yaml": "name: x\n", "bot-schema.json": schema}
    talk = Talk(answers={"read_artifact": reading(files)})

    answer = talk.say("make it buy under 25")

    assert talk.names == ["read_artifact", "read_artifact"]
    assert "do not tell me which strategy" in answer


def test_a_change_without_a_bot_says_that_there_is_none() -> None:
    talk = Talk(answers={"read_artifact": refusing("there is no such file")})

    assert "no bot in this session" in talk.say("make it buy under 25")
    assert "create_bot_template" not in talk.names


def test_an_unclear_strategy_is_asked_for_once_and_the_answer_completes_the_request() -> None:
    talk = Talk()

    question = talk.say("Build me a bot for SOL on 4h candles, risk 2%")
    assert not talk.calls
    for title in ("RSI", "SMA", "Bollinger", "Donchian", "Dollar-cost", "Grid"):
        assert title in question

    talk.say("breakout please, 20 day high")
    assert talk.arguments("create_bot_template") == {
        "strategy_type": "breakout",
        "parameters": {"symbol": "SOL/USDT", "risk_per_trade_pct": 2, "timeframe": "1d", "entry_period": 20},
    }


@pytest.mark.parametrize(
    ("answer", "strategy"),
    [("2", "sma_crossover"), ("the last one", "funding_carry"), ("12", "funding_carry"), ("dca", "dca")],
)
def test_the_list_can_be_answered_by_number_or_name(answer: str, strategy: str) -> None:
    talk = Talk()
    talk.say("build a bot for ETH")

    talk.say(answer)

    arguments = talk.arguments("create_bot_template")
    assert (arguments["strategy_type"], arguments["parameters"]["symbol"]) == (strategy, "ETH/USDT")


def test_a_strategy_that_is_not_offered_is_said_to_be_so_again_and_again() -> None:
    talk = Talk()
    assert "no template for arbitrage" in talk.say("build an arbitrage bot")
    assert "no template for martingale" in talk.say("martingale then")
    assert not talk.calls


def test_no_ends_the_question() -> None:
    talk = Talk()
    talk.say("build a bot for ETH")

    talk.say("never mind")
    assert not talk.calls
    talk.say("what can you do?")
    assert not talk.calls


def test_another_language_is_refused_and_python_offered() -> None:
    talk = Talk()

    assert "Rust" in talk.say("build a rust RSI bot for bitcoin, buy under 20")
    assert not talk.calls

    talk.say("yes please")
    assert talk.arguments("create_bot_template")["parameters"] == {"symbol": "BTC/USDT", "buy_below": 20}


def test_a_failed_check_does_not_hide_the_bot() -> None:
    talk = Talk(answers={"analyze_code": refusing("out of time")})

    answer = talk.say(REQUEST)

    assert "is ready" in answer
    assert "The code check failed: out of time" in answer


def test_without_the_template_tool_nothing_is_claimed() -> None:
    talk = Talk(tools=("search_documentation",))

    answer = talk.say(REQUEST)

    assert not talk.calls
    assert "`create_bot_template`" in answer
    assert "is ready" not in answer


def test_when_tools_are_not_allowed_it_says_so_and_calls_none() -> None:
    for text in (
        REQUEST,
        "make it buy under 25",
        "how do I deploy?",
        "list files",
        "analyze BTC",
        "deploy it",
    ):
        talk = Talk(allow_tools=False)
        assert "may not call tools" in talk.say(text)
        assert not talk.calls


def test_when_tools_end_in_mid_turn_it_answers_with_what_it_has() -> None:
    talk = Talk()
    talk.say(REQUEST)
    del talk.messages[-3:]

    reply = next_reply(replace(talk.request(), allow_tools=False))

    assert not reply.calls
    assert "is written, but not proven" in reply.text
    assert "not checked" in reply.text


def test_a_rejected_bot_is_not_called_ready_and_what_remains_is_told() -> None:
    finding = {"stage": "probe", "rule": "look-ahead", "severity": "failure", "message": "It looks ahead."}
    talk = Talk(
        answers={"verify_bot": lambda call: {"verdict": "rejected", "findings": [finding], "figures": {}}}
    )

    answer = talk.say(REQUEST)

    assert "is ready" not in answer
    assert "Rejected" in answer
    assert "It looks ahead." in answer


def test_only_the_users_words_ask_for_the_deployment_of_what_is_not_verified() -> None:
    talk = Talk(answers={"deploy_bot": refusing("the bot is unverified")})
    talk.say(REQUEST)
    talk.say("deploy it")
    assert "unverified" not in talk.arguments("deploy_bot")
    talk.say("deploy it unverified")
    assert talk.arguments("deploy_bot")["unverified"] is True


def test_a_backtest_asked_for_with_the_build_is_run() -> None:
    talk = Talk(answers={"backtest_bot": lambda call: {"sharpe": 1.25, "trades": 12}})

    answer = talk.say("grid bot for BTC between 50k and 60k with 10 levels and backtest it, then deploy it")

    assert talk.names == [
        "create_bot_template", "search_documentation", "analyze_code", "verify_bot", "backtest_bot",
    ]  # fmt: skip
    assert "sharpe: 1.25" in answer
    assert '"deploy it"' in answer
