"""The backtester behind the port: the bot's own strategy on its own candles, with ordinary costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.backtest.artifacts import backtest_files
from shared.backtest.bot_files import own_candles, title_of
from shared.backtest.findings import CheckResult
from shared.backtest.request import BacktestRequest
from shared.backtest.result import SCHEMA_VERSION, Backtest
from shared.backtest.run import run_backtest
from shared.errors import ToolInputError
from shared.sandbox.port import Sandbox
from shared.verification.port import Backtested, Finding, Severity

_SEVERITIES: dict[str, Severity] = {"finding": "failure", "warning": "warning", "note": "note"}
_FIGURES = (
    *("return_pct", "annual_return_pct", "max_drawdown_pct", "sharpe", "sortino", "calmar"),
    *("win_rate_pct", "profit_factor", "exposure_pct", "turnover", "trades", "fees"),
)


class OwnCandlesBacktester:
    """Backtests a bot on the candles that it brings."""

    version = f"result {SCHEMA_VERSION}"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def backtest(self, *, files: Mapping[str, bytes], config: Mapping[str, Any]) -> Backtested | None:
        """See the port."""
        if not {"strategy.py", "strategy.js"} & files.keys():
            return None
        # What the strategy is not asked about.
        own = {name: value for name, value in config.items() if name != "data_source"}
        try:
            candles = await asyncio.to_thread(own_candles, files, config)
            backtest = await run_backtest(
                self._sandbox, BacktestRequest(files=files, candles=candles, config=own)
            )
        except ToolInputError as error:
            return Backtested(findings=(_not_possible(error.message),))
        return Backtested(
            findings=tuple(_finding(one) for one in backtest.checks if one.severity != "passed"),
            figures=_figures(backtest),
            files=await asyncio.to_thread(backtest_files, backtest, title=title_of(files)),
            covers_decisions=backtest.outcome is not None,
        )


def _finding(check: CheckResult) -> Finding:
    return Finding(
        rule=check.check.replace("_", "-"),
        severity=_SEVERITIES[check.severity],
        message=f"{check.title}: {check.message}",
        evidence={"report": "backtest/report.html"},
    )


def _not_possible(message: str) -> Finding:
    return Finding(
        rule="not-backtested",
        severity="warning",
        message=f"The strategy could not be backtested: {message}",
        advice="Give it the form of create_bot_template's strategies and a CSV file of candles.",
    )


def _figures(backtest: Backtest) -> dict[str, Any]:
    found: dict[str, Any] = {"verdict": backtest.verdict}
    if backtest.outcome is not None:
        measures = backtest.outcome.measures.form()
        found |= {name: measures[name] for name in _FIGURES if name in measures}
        found["buy_and_hold_pct"] = backtest.outcome.hold.form().get("return_pct")
    return found
