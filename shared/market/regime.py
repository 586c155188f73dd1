"""The market's regime, by a few rules that anyone can check.

1. `trending_up` or `trending_down`: ADX of 25 or more (Wilder's mark of a trend), the 20 EMA above or below
   the 50 EMA.
2. `volatile_range`: no trend, and the deviation of the last 20 returns is 1.5 times that of the whole window
   or more.
3. `quiet_range`: no trend, and it is 0.6 times or less.
4. `range`: none of these.
"""

from __future__ import annotations

from typing import Literal

Regime = Literal["trending_up", "trending_down", "volatile_range", "quiet_range", "range"]

TREND_ADX = 25.0
RECENT_RETURNS = 20
_VOLATILE = 1.5
_QUIET = 0.6


def regime_of(*, adx: float, fast_ema: float, slow_ema: float, volatility_ratio: float) -> Regime:
    """The regime; `volatility_ratio` is the deviation of recent returns over that of the whole window."""
    if adx >= TREND_ADX and fast_ema != slow_ema:
        return "trending_up" if fast_ema > slow_ema else "trending_down"
    if volatility_ratio >= _VOLATILE:
        return "volatile_range"
    return "quiet_range" if volatility_ratio <= _QUIET else "range"
