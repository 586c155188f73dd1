"""What a verification gets of a backtest."""

from __future__ import annotations

import pytest

from shared.backtest.artifacts import CHART, REPORT, RESULT
from shared.backtest.backtester import SandboxBacktester
from shared.sandbox.port import Sandbox
from shared.verification.port import Backtester
from tests.shared.backtest.bots import FOLLOW, bot
from tests.shared.backtest.rows import candles_csv

CLOSES = [100.0 + (place % 7) * 3 - (place % 5) for place in range(80)]
PEEKING = """
import csv
from pathlib import Path

ROWS = list(csv.DictReader(Path(__file__).with_name("sample.csv").read_text().splitlines()))
CLOSES = [float(row["close"]) for row in ROWS]


def decide(candles, parameters, holding=Holding()):
    place = CLOSES.index(float(candles[-1].close))
    later = CLOSES[min(place + 1, len(CLOSES) - 1)]
    if holding.quantity == 0 and later > CLOSES[place]:
        return Signal("buy", "will rise", amount=Decimal(1000))
    if holding.quantity > 0 and later < CLOSES[place]:
        return Signal("sell", "will fall")
    return Signal("hold", "nothing")
"""


async def test_an_honest_bot_has_figures_files_and_no_failure(sandbox: Sandbox) -> None:
    backtester: Backtester = SandboxBacktester(sandbox)
    files = bot(FOLLOW) | {"sample.csv": candles_csv(CLOSES)}
    done = await backtester.backtest(files=files, config={})
    assert done is not None
    assert [finding for finding in done.findings if finding.severity == "failure"] == []
    assert all(finding.advice for finding in done.findings if finding.severity == "warning")
    assert done.figures["candles"] == 80
    # Hours of three days: a ratio of a year would say more than they know.
    assert done.figures["days"] == 3.3
    assert "sharpe" not in done.figures
    assert set(done.files) == {REPORT, RESULT, CHART}
    assert done.covers_decisions


async def test_a_bot_that_peeks_fails(sandbox: Sandbox) -> None:
    files = bot(PEEKING) | {
        "sample.csv": candles_csv([100.0 + place % 13 + place / 100 for place in range(80)])
    }
    done = await SandboxBacktester(sandbox).backtest(files=files, config={})
    assert done is not None
    (finding,) = [finding for finding in done.findings if finding.rule == "look-ahead"]
    assert finding.severity == "failure"
    assert finding.evidence["decisions_changed"] > 0
    assert "decide()" in finding.advice


@pytest.mark.parametrize(
    "files", [{"main.py": b"print(1)"}, {"strategy.py": b"x = 1", "sample.csv": candles_csv(CLOSES)}]
)
async def test_a_bot_without_the_form_is_not_for_it(sandbox: Sandbox, files: dict[str, bytes]) -> None:
    assert await SandboxBacktester(sandbox).backtest(files=files, config={}) is None


async def test_a_bot_without_candles_is_warned(sandbox: Sandbox) -> None:
    done = await SandboxBacktester(sandbox).backtest(files=bot(FOLLOW), config={})
    assert done is not None
    assert [(finding.rule, finding.severity) for finding in done.findings] == [("not-backtested", "warning")]
