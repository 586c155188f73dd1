"""Candles as values, and the lengths of time that they stand for."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY_MS = _UNIT_MS["d"]
YEAR_MS = 365.25 * DAY_MS

Row = tuple[int, float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Candles, oldest first: columns of one length, rising times, finite numbers, prices over zero.

    `times` are the openings in milliseconds since 1970 in UTC.
    """

    times: tuple[int, ...]
    opens: tuple[float, ...]
    highs: tuple[float, ...]
    lows: tuple[float, ...]
    closes: tuple[float, ...]
    volumes: tuple[float, ...]

    @classmethod
    def of(cls, rows: list[Row] | tuple[Row, ...]) -> Candles:
        """The candles of rows of time, open, high, low, close, volume; the caller vouches for their order."""
        columns = tuple(zip(*rows, strict=True)) if rows else ((),) * 6
        times, opens, highs, lows, closes, volumes = columns
        return cls(times=times, opens=opens, highs=highs, lows=lows, closes=closes, volumes=volumes)

    def __len__(self) -> int:
        return len(self.times)

    def rows(self) -> list[Row]:
        """The candles as rows of time, open, high, low, close, volume."""
        columns = (self.times, self.opens, self.highs, self.lows, self.closes, self.volumes)
        return list(zip(*columns, strict=True))

    def part(self, start: int, end: int | None = None) -> Candles:
        """The candles from index `start` to before `end`."""
        return Candles(
            times=self.times[start:end],
            opens=self.opens[start:end],
            highs=self.highs[start:end],
            lows=self.lows[start:end],
            closes=self.closes[start:end],
            volumes=self.volumes[start:end],
        )

    def index_from(self, moment: int) -> int:
        """The index of the first candle that opens at `moment` or later."""
        return bisect_left(self.times, moment)


def timeframe_ms(timeframe: str) -> int:
    """Milliseconds of a timeframe such as 15m, 4h, 1d; raises ValueError when it is none."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([mhdw])", timeframe)
    if match is None:
        raise ValueError("not a timeframe")
    return int(match[1]) * _UNIT_MS[match[2]]


def timeframe_name(milliseconds: int) -> str:
    """The timeframe in its largest whole unit (5400000 is 90m), at least a minute."""
    for unit, length in reversed(_UNIT_MS.items()):
        if milliseconds >= length and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{max(1, round(milliseconds / _UNIT_MS['m']))}m"


def spacing_ms(candles: Candles) -> int:
    """The commonest distance between two openings, the shorter of equals; 0 with fewer than two candles."""
    counts: dict[int, int] = {}
    for before, after in pairwise(candles.times):
        counts[after - before] = counts.get(after - before, 0) + 1
    return min(counts, key=lambda gap: (-counts[gap], gap)) if counts else 0


def moment_text(milliseconds: int) -> str:
    """`2024-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
