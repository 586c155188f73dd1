"""What the offline planner reads in a request for a bot: strategy and parameters, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.offline.utterance import read_utterance
from shared.model.offline.wish import BotWish, read_wish
from shared.tools.templates.catalog import STRATEGIES
from shared.tools.templates.fields import as_json
from tests.shared.model.extraction_cases import REQUESTS


def wish(text: str, current: str | None = None) -> BotWish:
    return read_wish(read_utterance(text), current)


@pytest.mark.parametrize(("text", "strategy", "parameters"), REQUESTS)
def test_strategy_and_parameters_of_a_request(text: str, strategy: str, parameters: dict[str, Any]) -> None:
    found = wish(text)

    assert found.strategy == strategy
    assert found.parameters == parameters


@pytest.mark.parametrize(("text", "strategy", "parameters"), REQUESTS)
def test_what_is_read_is_what_the_catalogue_takes(
    text: str, strategy: str, parameters: dict[str, Any]
) -> None:
    model = STRATEGIES[strategy].model.model_validate(wish(text).parameters)

    assert {name: as_json(getattr(model, name)) for name in parameters} == parameters


@pytest.mark.parametrize(
    ("text", "not_offered"),
    [
        ("Build me a martingale bot", "martingale"),
        ("create an arbitrage bot between binance and kraken", "arbitrage"),
        ("machine learning bot for BTC", "machine learning"),
        ("Build an ichimoku momentum bot", "ichimoku"),
        ("martingale bot please", "martingale"),
    ],
)
def test_a_strategy_that_is_not_offered_is_not_replaced_by_another(text: str, not_offered: str) -> None:
    found = wish(text)

    assert (found.strategy, found.not_offered) == (None, not_offered)


def test_two_strategies_are_both_named() -> None:
    assert set(wish("build me an RSI and Bollinger bot").candidates) == {"rsi_momentum", "mean_reversion"}


def test_the_mechanics_decide_between_two_strategies() -> None:
    found = wish("RSI mean reversion bot, buy under 30 and sell over 70")

    assert found.strategy == "rsi_momentum"
    assert found.parameters == {"buy_below": 30, "sell_above": 70}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('rsi bot called "Moon Shot" for BTC', "Moon Shot"),
        ("create an sma crossover bot named fast-lane that trades ETH", "fast-lane"),
        ("build a grid bot, name it rsi-30-bot", "rsi-30-bot"),
        ("grid bot named btc dip buyer that waits", "btc dip buyer"),
        ("dca bot for BTC", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    found = wish(text)

    assert found.name == name
    assert not found.unread


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("build a bot in typescript for RSI on BTC", "typescript"),
        ("c++ grid bot", "cpp"),
        ("write me an rsi bot in go", "go"),
        ("python dca bot 50 dollars weekly", "python"),
        ("rsi bot that can go long", None),
    ],
)
def test_languages(text: str, language: str | None) -> None:
    assert wish(text).language == language


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("rsi bot with 3% trailing stop", "trailing"),
        ("rsi bot btc 10x leverage", "leverage"),
        ("rsi bot, short when above 70", "short"),
        ("rsi bot risking $100 per trade", "per cent"),
        ("RSI bot BTC 45 minute candles", "45m"),
        ("rsi bot, go live with real money", "live_trading"),
        ("rsi bot that buys when the RSI is above 50", "cannot buy above"),
        ("EMA 9/21 crossover", "simple moving averages"),
        ("rsi bot for BTC and ETH", "ETH/USDT"),
        ("rsi bot, my api key is abcdef", "Keys"),
        ("monthly dca of $50", "30 days"),
    ],
)
def test_what_cannot_be_had_is_said(text: str, word: str) -> None:
    assert any(word in remark for remark in wish(text).remarks)


def test_a_number_without_a_place_is_not_lost_in_silence() -> None:
    assert wish("rsi bot with magic 4711").unread == ("4711",)


def test_an_api_key_is_never_repeated() -> None:
    found = wish("rsi bot for BTC, my api key is sk-9f8e7d6c")

    assert "9f8e7d6c" not in repr((found.remarks, found.parameters, found.name))


@pytest.mark.parametrize("words", ["in Node.js", "in JavaScript", "using node", "as a nodejs bot"])
def test_the_language_is_read(words: str) -> None:
    assert wish(f"build an MACD bot for BTC {words}").language == "nodejs"


def test_a_bot_of_two_markets_says_what_it_leaves() -> None:
    found = wish("pairs trading on ETH, BTC and SOL")
    assert found.parameters["second_symbol"] == "BTC/USDT"
    assert any("leave SOL/USDT" in remark for remark in found.remarks)
    assert not wish("pairs trading on ETH and BTC").remarks


def test_pairs_may_be_sold_short() -> None:
    assert not wish("pairs trading on ETH and BTC, go short the dear one").remarks
    assert any("never sells short" in one for one in wish("RSI bot on ETH, go short too").remarks)


def test_the_perpetual_of_the_same_coin_is_the_other_leg_of_a_carry() -> None:
    assert not wish("collect funding: buy BTC/USDT and short BTC/USDT:USDT").remarks
