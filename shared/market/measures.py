"""The form of a measure, what measures are made from, and how numbers are rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from shared.market.candles import Candles
from shared.market.indicators import Indicators, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure; a value that cannot be had is null, and the sentence says why."""

    label: str
    sentence: str
    values: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All candles with their indicators, and the window that the numbers are about, its end."""

    candles: Candles
    window: Candles
    indicators: Indicators

    @property
    def close(self) -> float:
        """The last close."""
        return self.candles.closes[-1]


def last(series: Series, back: int = 0) -> float | None:
    """The value `back` candles before the last one, None where there is none."""
    return series[-1 - back] if back < len(series) else None


def unknown(name: str, view: View, needed: int, *values: str) -> Measure:
    """A measure without a value: too few candles, or prices that never moved."""
    count = len(view.candles)
    reason = (
        f"needs {needed} closed candles and there are {count}"
        if count < needed
        else "says nothing, because the price did not move"
    )
    return Measure(label="unknown", sentence=f"{name} {reason}.", values=dict.fromkeys(values))


def price(value: float) -> float:
    """Six significant digits."""
    return float(f"{value:.6g}")


def percent(share: float, digits: int = 2) -> float:
    """A share in percent: 0.1234 is 12.34."""
    return plain(share * 100, digits)


def plain(value: float, digits: int = 2) -> float:
    """Rounded, and never minus zero."""
    return round(value, digits) + 0.0


def number(value: float) -> str:
    """A price in words: six significant digits, never in exponent form."""
    if value == 0:
        return "0"
    decimals = max(0, 5 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
