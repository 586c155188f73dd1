"""What is said of a bot that did not come to the end of its candles."""

from __future__ import annotations

from collections.abc import Sequence

from shared.backtest.findings import CheckResult
from shared.backtest.protocol import TaskAnswer
from shared.errors import ToolInputError
from shared.market.candles import moment_text

NO_FORM = (
    "this bot has no strategy.py (or strategy.js) of the form that a backtest runs, with decide or "
    "decide_all and candles_needed; verify_bot probes bots of any form, create_bot_template writes bots of "
    "this one"
)


def judge_crash(walk: TaskAnswer, times: Sequence[int]) -> CheckResult | None:
    """The finding of a walk that ended early; None where it came to its end."""
    crash = walk.crash
    if crash is None and walk.end is not None:
        return None
    error = "the strategy ended the process that it ran in" if crash is None else crash.error
    index = None if crash is None else crash.index
    at = (
        f" at the candle of {moment_text(times[index])}"
        if index is not None and 0 <= index < len(times)
        else ""
    )
    place = f" in {crash.place}" if crash is not None and crash.place else ""
    message = f"The bot did not come to the end of the candles{at}{place}: {error}."
    if crash is not None and crash.limit in ("time", "cpu"):
        message = (
            f"The bot did not come to the end of the candles in time ({crash.limit} limit of the sandbox): a "
            "loop that does not end, or far too much work for each decision."
        )
    return CheckResult(
        check="crash",
        title="Runs to the end",
        severity="finding",
        message=message,
        evidence={"error": error, "place": "" if crash is None else crash.place, "candle": index},
    )


def no_form(said: str = "") -> ToolInputError:
    """The error of a bot that has no strategy of our form; its details hold `no_form`."""
    error = ToolInputError(f"{said}; {NO_FORM}" if said else NO_FORM)
    error.details["no_form"] = True
    return error
