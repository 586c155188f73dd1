"""The sample candles that every bot ships with: synthetic, seeded, with several market regimes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_START = datetime(2024, 1, 1, tzinfo=UTC)
_SEED = 20240101

# Candles, drift and volatility of a candle (shares of the price), pull back to the regime's first price.
_REGIMES = (
    (80, 0.0000, 0.006, 0.08),
    (70, 0.0040, 0.005, 0.00),
    (60, 0.0000, 0.010, 0.12),
    (60, -0.0055, 0.008, 0.00),
    (50, 0.0060, 0.009, 0.00),
    (80, 0.0000, 0.007, 0.10),
)


def sample_csv(*, minutes: int, start_price: Decimal) -> str:
    """400 candles of `minutes` each as CSV: a range, a rise, a wild range, a fall, a recovery, a range.

    The same arguments give the same text. Times are ISO 8601 in UTC and mark the candle's opening.
    """
    # A fixed seed is wanted here: the file is test data, not a secret.
    source = random.Random(_SEED)  # noqa: S311
    lines = ["time,open,high,low,close,volume"]
    price, moment = 1.0, _START
    for count, drift, volatility, pull in _REGIMES:
        anchor = price
        for _ in range(count):
            start = price
            price *= 1 + drift + source.gauss(0, volatility) - pull * (price / anchor - 1)
            high = max(start, price) * (1 + abs(source.gauss(0, volatility / 3)))
            low = min(start, price) * (1 - abs(source.gauss(0, volatility / 3)))
            volume = 100 * (1 + abs(source.gauss(0, 0.5)))
            cells = [_money(value, start_price) for value in (start, high, low, price)]
            lines.append(",".join([moment.strftime("%Y-%m-%dT%H:%M:%SZ"), *cells, f"{volume:.2f}"]))
            moment += timedelta(minutes=minutes)
    return "\n".join(lines) + "\n"


def _money(share: float, start_price: Decimal) -> str:
    """The share of the start price with six significant digits, never in exponent form."""
    value = Decimal(f"{share:.8f}") * start_price
    return f"{value.quantize(Decimal(1).scaleb(value.adjusted() - 5)):f}"


__all__ = ["sample_csv"]
