"""The `Backtester` of shared/verification/port.py: a bot on its own candles, with every check."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from shared.backtest.artifacts import backtest_files
from shared.backtest.bot_files import own_candles, title_of
from shared.backtest.candles import LEAST_CANDLES
from shared.backtest.findings import CheckResult
from shared.backtest.findings import Severity as CheckSeverity
from shared.backtest.request import BacktestRequest
from shared.backtest.result import Backtest
from shared.backtest.run import run_backtest
from shared.errors import ToolInputError
from shared.sandbox.port import Sandbox
from shared.verification.port import Backtested, Finding, Severity

# Raised whenever a check, a threshold or the model of fills changes what may be found.
VERSION = "1"
_DAY_MS = 86_400_000

_SEVERITIES: Mapping[CheckSeverity, Severity] = {"finding": "failure", "warning": "warning", "note": "note"}
_ADVICE = {
    "crash": "Run the strategy over the candles and follow the error.",
    "account": "Leave the account to the backtest: a strategy decides, and changes nothing else.",
    "look_ahead": "Decide from the candles that decide() is given, and from nothing else.",
    "repeatable": "Keep no state, draw no random numbers, read no clock: decide from the arguments.",
    "warm_up": "Let candles_needed ask for what the indicators need, and use exactly that many candles.",
    "calendar": "Do not name dates: find the moment from prices.",
    "over_fitting": "Take parameters whose neighbours do well too, and try them on candles of another time.",
    "costs": "Trade less often, or only where the expected move is several times the costs.",
    "few_trades": "Backtest over a longer time.",
    "one_trade": "Backtest over a longer time, and distrust a result that hangs on one trade.",
    "survivorship": "Try markets that did badly too.",
}


class SandboxBacktester:
    """Runs the backtests of a verification in a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def version(self) -> str:
        """See the port."""
        return VERSION

    async def backtest(self, *, files: Mapping[str, bytes], config: Mapping[str, Any]) -> Backtested | None:
        """See the port."""
        try:
            candles = await asyncio.to_thread(own_candles, files, config)
            if len(candles) < LEAST_CANDLES:
                raise ToolInputError(
                    f"{candles.source} has {len(candles)} candles, {LEAST_CANDLES} are the least"
                )
            request = BacktestRequest(files=files, candles=candles, config=config)
            backtest = await run_backtest(self._sandbox, request)
        except ToolInputError as error:
            if error.details.get("no_form") or not _has_form(files):
                return None
            return Backtested(findings=(_not_backtested(error),))
        evidence = await asyncio.to_thread(backtest_files, backtest, title=title_of(files))
        return Backtested(
            findings=tuple(_finding(check) for check in backtest.checks if check.severity != "passed"),
            figures=_figures(backtest),
            files=evidence,
            covers_decisions=backtest.outcome is not None,
        )


def _has_form(files: Mapping[str, bytes]) -> bool:
    return "strategy.py" in files or "strategy.js" in files


def _not_backtested(error: ToolInputError) -> Finding:
    return Finding(
        rule="not-backtested",
        severity="warning",
        message=f"The strategy was not backtested: {error.message}",
        advice="Ship a sample.csv of at least a few hundred candles with the bot.",
    )


def _finding(check: CheckResult) -> Finding:
    return Finding(
        rule=check.check.replace("_", "-"),
        severity=_SEVERITIES[check.severity],
        message=check.message,
        advice=_ADVICE[check.check] if check.severity != "note" else "",
        evidence=check.evidence if check.severity != "note" else {},
    )


def _figures(backtest: Backtest) -> dict[str, Any]:
    if backtest.outcome is None:
        return {}
    mine, hold = backtest.outcome.measures, backtest.outcome.hold
    times = backtest.request.candles.times
    figures: dict[str, Any] = {
        "candles": len(times),
        "days": round((times[-1] - times[0]) / _DAY_MS, 1),
        "return_pct": round(mine.return_pct, 4),
        "buy_and_hold_pct": round(hold.return_pct, 4),
        "max_drawdown_pct": round(mine.max_drawdown_pct, 4),
        "trades": mine.trades,
        "fees": round(mine.fees, 4),
    }
    # Without the report's words beside it, a ratio scaled up from some weeks would be taken at its word.
    if mine.sharpe is not None and mine.annual_return_pct is not None:
        figures["sharpe"] = round(mine.sharpe, 4)
    return figures
