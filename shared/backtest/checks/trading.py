"""Whether there is enough to judge by: trades, their number, and how the profit is spread over them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.backtest.booking import Booking
from shared.backtest.findings import CheckResult, Severity
from shared.backtest.trades import Trade

# Below the first nothing can be said; thirty is the usual least sample (Student's t is near normal).
FEW, ENOUGH = 10, 30
_MOST_FROM_ONE = 0.5


def judge_number(trades: Sequence[Trade]) -> CheckResult:
    """Whether the trades are enough to judge by."""
    closed = sum(1 for trade in trades if not trade.is_open)
    severity: Severity = "passed"
    message = f"{closed} closed trades."
    if closed < FEW:
        severity = "warning"
        message = (
            f"{closed} closed trades are too few to tell skill from luck; {ENOUGH} are the least to aim at."
        )
    elif closed < ENOUGH:
        severity, message = "note", f"{closed} closed trades are few; {ENOUGH} are the least to aim at."
    return CheckResult(
        check="few_trades",
        title="Number of trades",
        severity=severity,
        message=message,
        evidence={"closed_trades": closed, "enough": ENOUGH},
    )


def judge_one_trade(trades: Sequence[Trade]) -> CheckResult:
    """Whether the profit hangs on a single trade."""
    closed = [trade for trade in trades if not trade.is_open]
    total = sum(trade.profit for trade in closed)
    best = max((trade.profit for trade in closed), default=0.0)
    evidence = {"profit": total, "best_trade": best, "without_it": total - best}
    severity: Severity = "passed"
    message = "No single trade makes half of the profit."
    if total <= 0:
        severity, message = "note", "The closed trades made no profit that could hang on one of them."
    elif len(closed) > 1 and best > total * _MOST_FROM_ONE:
        severity = "warning"
        message = (
            f"One trade of {len(closed)} made {100 * best / total:.0f}% of the profit; without it "
            f"{total - best:+,.2f} would be left."
        )
    elif len(closed) == 1:
        severity, message = "warning", "One trade made all of the profit."
    return CheckResult(
        check="one_trade",
        title="Dependence on one trade",
        severity=severity,
        message=message,
        evidence=evidence,
    )


def judge_account(booking: Booking, malformed: int) -> CheckResult:
    """Whether the account outside agrees with the bot's, and survived."""
    problems = [*booking.problems, *([f"{malformed} lines that are not decisions"] if malformed else [])]
    severity: Severity = "passed"
    message = (
        f"All {len(booking.fills)} fills were booked again outside the sandbox, from orders and candles "
        "alone; the bot's account ended the same."
    )
    if booking.ruined_at is not None:
        severity, message = "finding", f"The account was lost at candle {booking.ruined_at}."
    if problems:
        severity = "finding"
        message = "What the bot says of its account is not what its orders come to: " + "; ".join(
            problems[:3]
        )
    return CheckResult(
        check="account",
        title="Account booked twice",
        severity=severity,
        message=message,
        evidence={"problems": problems[:10], "ruined_at": booking.ruined_at},
    )


def judge_survivorship(symbols: Sequence[str]) -> CheckResult:
    """What the choice of the market itself hides."""
    chosen = (
        "The market was chosen today, knowing that it still trades"
        if len(symbols) == 1
        else "The markets were chosen today, knowing that they still trade"
    )
    message = (
        f"{chosen}: markets that vanished are not in the "
        "candles, and results on those that did well look better than the choice could have been then."
    )
    return CheckResult(
        check="survivorship",
        title="Survivorship",
        severity="warning" if len(symbols) > 2 else "note",
        message=message,
        evidence={"symbols": list(symbols)},
    )
