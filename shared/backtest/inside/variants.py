"""The same past with another future: candles cut off after a point, or scrambled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Any

Cells = Sequence[Any]
# What scrambled prices are multiplied with: far from anything that the past suggests.
_FACTORS: Mapping[str, int] = {"up": 3, "down": -3}
_DAY_SECONDS = 86_400


def varied(markets: list[list[Cells]], variant: str, end: int) -> list[list[Cells]]:
    """The candles before `end` as they are, and after them what the variant says.

    `full` changes nothing, `cut` leaves nothing; `up` and `down` give the candles after it in reverse order
    under the same times, three times as dear or a third as dear.
    """
    if variant == "full":
        return markets
    if variant == "cut":
        return [rows[:end] for rows in markets]
    return [[*rows[:end], *_scrambled(rows[end:], _FACTORS[variant])] for rows in markets]


def _moment(time: int) -> str:
    """The time as a bot's file has it: days and times of day come again and again, and naming them costs."""
    days, seconds = divmod(time // 1000, _DAY_SECONDS)
    return _date(days) + _clock(seconds)


@cache
def _date(days: int) -> str:
    """The day with this number since 1970."""
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()


@cache
def _clock(seconds: int) -> str:
    """The time of day with this number of seconds."""
    minutes, second = divmod(seconds, 60)
    return f"T{minutes // 60:02}:{minutes % 60:02}:{second:02}Z"


def _scrambled(rows: list[Cells], factor: int) -> list[Cells]:
    changed: list[Cells] = []
    for row, other in zip(rows, reversed(rows), strict=True):
        prices = [_times(cell, factor) for cell in other[1:5]]
        changed.append([row[0], *prices, *other[5:]])
    return changed


def _times(cell: Any, factor: int) -> str:
    value = float(cell)
    return f"{value * factor:.12g}" if factor > 0 else f"{value / -factor:.12g}"


def csv_text(symbols: Sequence[str], markets: list[list[Cells]], columns: Sequence[str]) -> str:
    """The candles as a bot's file of candles: `columns` says whether it has symbols and funding rates."""
    lines = [",".join(columns)]
    with_symbol, funded = "symbol" in columns, "funding_rate" in columns
    width = 7 if funded else 6
    heads = [f"{symbol}," if with_symbol else "" for symbol in symbols]
    for index in range(len(markets[0]) if markets else 0):
        time = _moment(markets[0][index][0])
        for head, rows in zip(heads, markets, strict=True):
            lines.append(f"{head}{time},{','.join(rows[index][1:width])}")
    return "\n".join(lines) + "\n"


__all__ = ["csv_text", "varied"]
