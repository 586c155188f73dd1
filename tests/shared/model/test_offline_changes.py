"""What the offline planner reads in a change of an RSI bot, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest

from shared.model.offline.utterance import read_utterance
from shared.model.offline.wish import read_wish

CHANGES: tuple[tuple[str, dict[str, Any], dict[str, str]], ...] = (
    ("make it buy under 25 and add a 2% stop loss", {"stop_loss_pct": 2, "buy_below": 25}, {}),
    ("remove the stop loss", {"stop_loss_pct": None}, {}),
    ("set take profit to 8%", {"take_profit_pct": 8}, {}),
    ("change buy from 30 to 25", {"buy_below": 25}, {}),
    ("raise the sell threshold to 80", {"sell_above": 80}, {}),
    ("sell above 75 instead", {"sell_above": 75}, {}),
    ("lower the buy level to 20", {"buy_below": 20}, {}),
    ("use a 21 period rsi", {"rsi_period": 21}, {}),
    ("period 10", {"rsi_period": 10}, {}),
    ("timeframe 15m please", {"timeframe": "15m"}, {}),
    ("use 4h candles instead of 1h", {"timeframe": "4h"}, {}),
    ("switch from BTC to ETH", {"symbol": "ETH/USDT"}, {}),
    ("trade SOL/USDC on bybit", {"symbol": "SOL/USDC", "exchange": "bybit"}, {}),
    ("use kraken", {"exchange": "kraken"}, {}),
    ("switch to the daily timeframe", {"timeframe": "1d"}, {}),
    ("risk 2% per trade and max 3 trades a day", {"risk_per_trade_pct": 2, "max_trades_per_day": 3}, {}),
    ("rename it to super-bot", {}, {"name": "super-bot"}),
    ('call it "My Fancy Bot!"', {}, {"name": "My Fancy Bot!"}),
    ("name it alpha and use ETH", {"symbol": "ETH/USDT"}, {"name": "alpha"}),
    ("make it realtime and poll every 10 seconds", {"poll_seconds": 10}, {"bot_type": "realtime"}),
    (
        "make it a scheduled bot that runs every day at 9:30",
        {"schedule": "30 9 * * *"},
        {"bot_type": "scheduled"},
    ),
    ("run it every hour", {"schedule": "0 * * * *"}, {}),
    ("run every weekday at 9am", {"schedule": "0 9 * * 1-5"}, {}),
    (
        "convert it to a grid bot between 20k and 30k with 20 levels",
        {"grid_levels": 20, "lower_price": 20000, "upper_price": 30000},
        {"strategy": "grid"},
    ),
    (
        "change the strategy to sma crossover with 10 and 50",
        {"fast_period": 10, "slow_period": 50},
        {"strategy": "sma_crossover"},
    ),
    ("use bollinger instead of rsi", {}, {"strategy": "mean_reversion"}),
    ("now for 15 minute candles", {"timeframe": "15m"}, {}),
    ("and add a 5% take profit", {"take_profit_pct": 5}, {}),
    ("without stop loss", {"stop_loss_pct": None}, {}),
    ("position size 5%", {"max_position_pct": 5}, {}),
    ("start with a balance of 2500", {"paper_balance": 2500}, {}),
    ("what if it bought under 20?", {"buy_below": 20}, {}),
    ("also use 3% stop", {"stop_loss_pct": 3}, {}),
    ("ETH please", {"symbol": "ETH/USDT"}, {}),
    ("stop loss 1.5", {"stop_loss_pct": 1.5}, {}),
    ("no more than two trades per day", {"max_trades_per_day": 2}, {}),
    ("tp 10% sl 4%", {"take_profit_pct": 10, "stop_loss_pct": 4}, {}),
    ("sell at 65", {"sell_above": 65}, {}),
    ("oversold 25 overbought 75", {"buy_below": 25, "sell_above": 75}, {}),
)


@pytest.mark.parametrize(("text", "parameters", "others"), CHANGES)
def test_what_a_change_says(text: str, parameters: dict[str, Any], others: dict[str, str]) -> None:
    wish = read_wish(read_utterance(text), "rsi_momentum")

    assert wish.parameters == parameters
    found = {"strategy": wish.strategy, "name": wish.name, "bot_type": wish.bot_type}
    assert {name: value for name, value in found.items() if value} == others


@pytest.mark.parametrize("text", ["increase the stop loss by 1%", "lower the risk by 0.5%"])
def test_a_change_by_an_amount_is_not_taken_for_a_value(text: str) -> None:
    wish = read_wish(read_utterance(text), "rsi_momentum")

    assert not wish.parameters
    assert any("new value" in remark for remark in wish.remarks)


def test_words_of_a_strategy_do_not_change_the_strategy_they_fit() -> None:
    wish = read_wish(read_utterance("sell when overbought at 80"), "rsi_momentum")

    assert (wish.strategy, wish.parameters) == (None, {"sell_above": 80})


def test_weak_words_do_not_change_the_strategy() -> None:
    assert read_wish(read_utterance("exit when oversold"), "breakout").strategy is None
