"""Bots with one fault each, through the whole backtest: the check that is made for the fault finds it."""

from __future__ import annotations

import pytest

from shared.backtest.findings import CheckResult
from shared.backtest.request import BacktestRequest, Costs
from shared.backtest.run import run_backtest
from shared.sandbox.port import Sandbox
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.planted import CHURNING, DATES_BY_HEART, WAVES, lucky_bot
from tests.shared.backtest.rows import market


async def _check(sandbox: Sandbox, files: dict[str, bytes], name: str) -> CheckResult:
    request = BacktestRequest(files=files, candles=market(WAVES), costs=Costs(volume_share_pct=0))
    backtest = await run_backtest(sandbox, request)
    return next(check for check in backtest.checks if check.check == name)


async def test_dates_known_by_heart(sandbox: Sandbox) -> None:
    found = await _check(sandbox, bot(DATES_BY_HEART), "calendar")
    assert found.severity == "finding"
    assert found.evidence["orders_changed_pct"] == 100.0


async def test_trading_as_if_it_were_free(sandbox: Sandbox) -> None:
    found = await _check(sandbox, bot(CHURNING), "costs")
    assert found.severity == "finding"
    returns = found.evidence["return_pct_by_costs"]
    assert returns["0x"] > returns["1x"] > returns["2x"] > returns["5x"]


async def test_a_parameter_that_works_by_itself_alone(sandbox: Sandbox) -> None:
    found = await _check(sandbox, lucky_bot(), "over_fitting")
    assert found.severity == "finding"
    assert found.evidence["chosen_return_pct"] > 2 > found.evidence["median_neighbour_return_pct"]
    # Neighbours that only move the other parameter change nothing, and do not count.
    assert found.evidence["neighbours_that_differ"] == 20


@pytest.mark.parametrize("name", ["account", "look_ahead", "repeatable", "warm_up", "calendar"])
async def test_a_plain_strategy_passes(sandbox: Sandbox, name: str) -> None:
    assert (await _check(sandbox, bot(FOLLOW), name)).severity == "passed"
