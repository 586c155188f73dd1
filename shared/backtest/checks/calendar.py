"""Whether the bot knows the dates: the same candles as if they had come at another time.

A strategy of prices decides the same. One that keeps to the hour of the day or the day of the week does so
too, for the times are moved by 30 weeks, which is 5,040 hours; one of odd intervals trades at other moments,
but as often. One that was told when to trade finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.backtest.findings import CheckResult, Severity
from shared.backtest.inside.walk import Order

SHIFT_MS = 5040 * 3_600_000
_LEAST_ORDERS = 4
_LEAST_KEPT = 0.5


def judge_calendar(orders: Sequence[Order], moved: Sequence[Order] | None) -> CheckResult:
    """What the walk over moved candles says; None where it did not end."""
    severity: Severity = "passed"
    message, changed = "The bot decides the same at other dates.", 0.0
    if moved is None:
        severity, message = "note", "The walk over candles of other dates did not come to an end in time."
    else:
        before, after = ({(order[0], order[1], order[2]) for order in some} for some in (orders, moved))
        union = before | after
        changed = 1 - len(before & after) / len(union) if union else 0.0
        if len(after) < len(before) * _LEAST_KEPT and len(before) >= _LEAST_ORDERS:
            severity = "finding"
            message = (
                f"Of {len(before)} orders {len(after)} are left when the same candles come at other dates: "
                "the bot knows when to trade instead of finding it out, so it fits these candles alone."
            )
        elif changed > 0:
            severity = "note"
            message = f"{100 * changed:.0f}% of the orders depend on the date itself."
    return CheckResult(
        check="calendar",
        title="Dates known by heart",
        severity=severity,
        message=message,
        evidence={"moved_hours": SHIFT_MS // 3_600_000, "orders_changed_pct": round(100 * changed, 2)},
    )
