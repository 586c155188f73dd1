"""Bots run in the real sandbox, and their orders are booked outside."""

from __future__ import annotations

import random
from typing import Any

import pytest

from shared.backtest import run as backtest_run
from shared.backtest.candles import MarketCandles, read_market_csv
from shared.backtest.request import BacktestRequest, Costs
from shared.backtest.result import Backtest
from shared.backtest.run import run_backtest
from shared.errors import ToolInputError
from shared.sandbox.port import Sandbox
from tests.shared.backtest.bots import FOLLOW, FOLLOW_JS, RISK, bot
from tests.shared.backtest.rows import HOUR, START, market

NO_COSTS = Costs(maker_pct=0, taker_pct=0, slippage_bps=0, volume_share_pct=0)
ZIGZAG = [100.0 + (place % 6) * 2 - (place % 11) for place in range(60)]


async def _run(
    sandbox: Sandbox,
    files: dict[str, bytes],
    candles: MarketCandles,
    *,
    costs: Costs = NO_COSTS,
    **config: Any,
) -> Backtest:
    request = BacktestRequest(files=files, candles=candles, config=config, costs=costs)
    return await run_backtest(sandbox, request, decisions_only=True)


def _findings(backtest: Backtest) -> list[str]:
    return [check.check for check in backtest.checks if check.severity == "finding"]


async def test_what_is_decided_on_a_candle_is_traded_at_the_next_opening(sandbox: Sandbox) -> None:
    closes = [100.0, 100.0, 110.0, 120.0, 90.0, *[90.0] * 30]
    backtest = await _run(sandbox, bot(FOLLOW), market(closes))
    assert backtest.outcome is not None
    buy, sell = backtest.outcome.booking.fills
    # The rise is seen at the close of candle 2, the fall at that of candle 4.
    assert (buy.candle, buy.price) == (3, 110.0)
    assert buy.quantity == pytest.approx(1000 / 110)
    assert (sell.candle, sell.price, sell.reason) == (5, 90.0, "fell")
    assert backtest.outcome.booking.equity[-1] == pytest.approx(10_000 + 1000 / 110 * -20)
    assert _findings(backtest) == []


async def test_the_bots_own_limits_size_orders_and_stop_inside_the_candle(sandbox: Sandbox) -> None:
    greedy = FOLLOW.replace("amount=Decimal(1000)", "amount=None")
    closes = [100.0, 100.0, 101.0, 101.0, 80.0, *[80.0] * 30]
    backtest = await _run(sandbox, bot(greedy, risk=RISK), market(closes))
    assert backtest.outcome is not None
    buy, stop = backtest.outcome.booking.fills
    assert buy.quantity * buy.price == pytest.approx(2000.0)
    # Candle 4 opens at 101 and falls through 101 x 0.95.
    assert (stop.candle, stop.reason) == (4, "stop loss")
    assert stop.price == pytest.approx(101 * 0.95, rel=1e-9)


async def test_a_gap_through_the_stop_fills_at_the_opening(sandbox: Sandbox) -> None:
    lines = ["time,open,high,low,close,volume"]
    prices = [(100, 100), (100, 101), (101, 101), (70, 70), *[(70, 70)] * 30]
    for place, (opening, close) in enumerate(prices):
        high, low = max(opening, close), min(opening, close)
        lines.append(f"{START + place * HOUR},{opening},{high},{low},{close},1000")
    candles = read_market_csv("\n".join(lines).encode(), source="gap.csv")
    backtest = await _run(sandbox, bot(FOLLOW, risk=RISK), candles)
    assert backtest.outcome is not None
    assert [(fill.candle, fill.price) for fill in backtest.outcome.booking.fills] == [(2, 101.0), (3, 70.0)]


async def test_several_markets_share_one_account_with_shorts_and_funding(sandbox: Sandbox) -> None:
    decide_all = """
def symbols(parameters):
    return ("A/USDT", "A/USDT:USDT")


def decide_all(markets, parameters, holdings):
    if any(len(series) < 2 for series in markets.values()) or any(one.quantity for one in holdings.values()):
        return {}
    return {
        "A/USDT": Signal("buy", "carry", amount=Decimal(1000)),
        "A/USDT:USDT": Signal("sell", "carry", amount=Decimal(1000)),
    }
"""
    lines = ["symbol,time,open,high,low,close,volume,funding_rate"]
    for place in range(40):
        price = 100 + place
        for symbol, rate in (("A/USDT:USDT", 0.001 if place == 20 else 0), ("A/USDT", 0)):
            lines.append(f"{symbol},{START + place * HOUR},{price},{price},{price},{price},1000,{rate}")
    candles = read_market_csv("\n".join(lines).encode(), source="carry.csv")
    backtest = await _run(sandbox, bot(decide_all), candles)
    assert backtest.outcome is not None
    booking = backtest.outcome.booking
    assert [round(quantity, 6) for quantity in booking.quantities] == [
        pytest.approx(1000 / 102, abs=1e-5),
        pytest.approx(-1000 / 102, abs=1e-5),
    ]
    # The legs cancel; the short is paid a thousandth of its worth at the opening of candle 20.
    assert booking.equity[-1] == pytest.approx(10_000 + 1000 / 102 * 120 * 0.001)
    assert booking.funding == pytest.approx(-1000 / 102 * 120 * 0.001)


async def test_both_runtimes_trade_alike_to_the_last_bit(sandbox: Sandbox) -> None:
    source = random.Random(7)
    closes = [100.0]
    for _ in range(120):
        closes.append(round(closes[-1] * (1 + source.gauss(0, 0.02)), 4))
    candles = market(closes, volume=50.0)
    costs = Costs(volume_share_pct=10)
    python = await _run(sandbox, bot(FOLLOW), candles, costs=costs)
    node = await _run(
        sandbox,
        {"strategy.js": FOLLOW_JS.encode(), "package.json": b'{"type":"module"}'},
        candles,
        costs=costs,
    )
    assert python.outcome is not None
    assert node.outcome is not None
    assert len(python.outcome.booking.fills) > 20
    assert node.outcome.booking.fills == python.outcome.booking.fills
    assert node.outcome.booking.equity == python.outcome.booking.equity
    assert _findings(node) == []


async def test_a_bot_that_lies_about_its_account_changes_nothing(sandbox: Sandbox) -> None:
    lie = """
import sys


def decide(candles, parameters, holding=Holding()):
    frame = sys._getframe(1)
    while frame is not None:
        ledger = getattr(frame.f_locals.get("self"), "ledger", None)
        if ledger is not None:
            ledger.cash = 1_000_000.0
        frame = frame.f_back
    return Signal("hold", "rich")
"""
    backtest = await _run(sandbox, bot(lie), market(ZIGZAG))
    assert backtest.outcome is not None
    assert backtest.outcome.measures.return_pct == 0.0
    assert "account" in _findings(backtest)


async def test_a_bot_that_ends_the_process_when_it_is_probed_is_caught(sandbox: Sandbox) -> None:
    hiding = """
import os
from pathlib import Path

LINES = Path(__file__).with_name("sample.csv").read_text().count("\\n")
if LINES != 61:
    os._exit(0)
"""
    backtest = await _run(sandbox, bot(hiding + FOLLOW), market(ZIGZAG))
    assert "look_ahead" in _findings(backtest)


async def test_a_crash_is_a_finding_with_its_place(sandbox: Sandbox) -> None:
    crash = FOLLOW.replace(
        "    rise =", "    if candles[-1].close < 95:\n        raise KeyError('gone')\n    rise ="
    )
    backtest = await _run(sandbox, bot(crash), market([100.0, 101.0, 102.0, 90.0, *[91.0] * 30]))
    finding = next(check for check in backtest.checks if check.check == "crash")
    assert finding.severity == "finding"
    assert "2024-01-01T03:00:00Z" in finding.message
    assert "strategy.py:" in finding.message
    assert "KeyError" in finding.message


async def test_a_loop_that_does_not_end_is_ended(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest_run, "WALK_SECONDS", 2.0)
    endless = FOLLOW.replace("    rise =", "    while True:\n        pass\n    rise =")
    backtest = await _run(sandbox, bot(endless), market(ZIGZAG))
    finding = next(check for check in backtest.checks if check.check == "crash")
    assert "in time" in finding.message


async def test_a_bot_that_fails_at_its_import_has_no_figures(sandbox: Sandbox) -> None:
    backtest = await _run(sandbox, bot("1 / 0\n" + FOLLOW), market(ZIGZAG))
    assert backtest.outcome is None
    assert "ZeroDivisionError" in backtest.checks[0].message
    assert backtest.form()["measures"] is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"main.py": b"print(1)"}, "no strategy.py"),
        ({"strategy.py": b"def go(): pass"}, "neither decide nor decide_all"),
        (bot(FOLLOW.replace("def decide(", "def decide_one(")), "neither decide nor decide_all"),
        ({"strategy.js": b"export const x = 1;"}, "neither decide nor decideAll"),
    ],
)
async def test_a_bot_of_another_form_is_refused_with_what_to_do(
    sandbox: Sandbox, files: dict[str, bytes], said: str
) -> None:
    with pytest.raises(ToolInputError, match="verify_bot") as caught:
        await _run(sandbox, files, market(ZIGZAG))
    assert said in caught.value.message
    assert caught.value.details["no_form"]


async def test_a_configuration_that_the_bot_refuses(sandbox: Sandbox) -> None:
    parameters = """
class Parameters:
    @classmethod
    def from_config(cls, config):
        raise ValueError(f"period must be positive, not {config['period']}")
"""
    with pytest.raises(ToolInputError, match="period must be positive, not -1"):
        await _run(sandbox, bot(FOLLOW, parameters=parameters), market(ZIGZAG), period=-1)


async def test_a_market_without_candles_is_told(sandbox: Sandbox) -> None:
    two = """
def symbols(parameters):
    return ("A/USDT", "B/USDT")


def decide_all(markets, parameters, holdings):
    return {}
"""
    with pytest.raises(ToolInputError, match=r"test\.csv: there are no candles of A/USDT, B/USDT") as caught:
        await _run(sandbox, bot(two), market(ZIGZAG))
    assert "no_form" not in caught.value.details


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ('Signal("short", "x")', "must be buy, sell or hold"),
        ('Signal("buy", "x", amount=Decimal(-5))', "amount"),
        ('Signal("sell", "x", share=Decimal(2))', "share"),
        ("None", "must be buy, sell or hold"),
    ],
)
async def test_a_decision_that_is_none_is_told(sandbox: Sandbox, decision: str, said: str) -> None:
    wrong = f"\ndef decide(candles, parameters, holding=Holding()):\n    return {decision}\n"
    backtest = await _run(sandbox, bot(wrong), market(ZIGZAG))
    assert said in backtest.checks[0].message
