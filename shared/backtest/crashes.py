"""What is said of a bot that did not come to the end of its candles."""

from __future__ import annotations

from collections.abc import Sequence

from shared.backtest.findings import CheckResult
from shared.backtest.protocol import TaskAnswer
from shared.market.candles import moment_text


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
