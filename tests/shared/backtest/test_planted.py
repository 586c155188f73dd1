"""Bots with one fault each, through the whole backtest: the check that is made for the fault finds it."""

from __future__ import annotations

import json
import math

import pytest

from shared.backtest.findings import CheckResult
from shared.backtest.request import BacktestRequest, Costs
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.rows import HOUR, START, market

WAVES = [100 + 10 * math.sin(place / 9) + (place * 37 % 11) / 10 for place in range(160)]


async def _check(sandbox: Sandbox, files: dict[str, bytes], name: str) -> CheckResult:
    request = BacktestRequest(files=files, candles=market(WAVES), costs=Costs(volume_share_pct=0))
    backtest = await run_backtest(sandbox, request)
    return next(check for check in backtest.checks if check.check == name)


async def test_dates_known_by_heart(sandbox: Sandbox) -> None:
    moments = [START + place * HOUR for place in range(10, 150, 12)]
    known = f"""
TIMES = {moments}


def decide(candles, parameters, holding=Holding()):
    if candles[-1].time not in TIMES:
        return Signal("hold", "not yet")
    if holding.quantity == 0:
        return Signal("buy", "now", amount=Decimal(1000))
    return Signal("sell", "now")
"""
    found = await _check(sandbox, bot(known), "calendar")
    assert found.severity == "finding"
    assert found.evidence["orders_changed_pct"] == 100.0


async def test_trading_as_if_it_were_free(sandbox: Sandbox) -> None:
    churning = """
def decide(candles, parameters, holding=Holding()):
    if holding.quantity == 0:
        return Signal("buy", "always")
    return Signal("sell", "always")
"""
    found = await _check(sandbox, bot(churning), "costs")
    assert found.severity == "finding"
    returns = found.evidence["return_pct_by_costs"]
    assert returns["0x"] > returns["1x"] > returns["2x"] > returns["5x"]


async def test_a_parameter_that_works_by_itself_alone(sandbox: Sandbox) -> None:
    # With 20 it rides the first rise and rests; its neighbours buy high and sell low all the time.
    lucky = """
def decide(candles, parameters, holding=Holding()):
    place = (candles[-1].time - 1704067200000) // 3600000
    is_lucky = parameters.period == 20
    enters = place == 1 if is_lucky else place % 56 == 14
    leaves = place == 14 if is_lucky else place % 56 == 42
    if holding.quantity == 0 and enters:
        return Signal("buy", "in")
    return Signal("sell", "out") if holding.quantity > 0 and leaves else Signal("hold", "wait")
"""
    schema = {
        "properties": {
            "period": {"type": "integer", "default": 20},
            "width": {"type": "number", "default": 1},
        }
    }
    files = bot(lucky + "\n\ndef unused(parameters):\n    return parameters.width\n")
    files["bot-schema.json"] = json.dumps(schema).encode()
    found = await _check(sandbox, files, "over_fitting")
    assert found.severity == "finding"
    assert found.evidence["chosen_return_pct"] > 2 > found.evidence["median_neighbour_return_pct"]
    # Neighbours that only move the other parameter change nothing, and do not count.
    assert found.evidence["neighbours_that_differ"] == 20


@pytest.mark.parametrize("name", ["account", "look_ahead", "repeatable", "warm_up", "calendar"])
async def test_a_plain_strategy_passes(sandbox: Sandbox, name: str) -> None:
    assert (await _check(sandbox, bot(FOLLOW), name)).severity == "passed"
