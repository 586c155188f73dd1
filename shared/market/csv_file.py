"""Candles as CSV: the format of a generated bot's sample.csv.

The first line names at least the columns time, open, high, low, close, volume, in any order; further columns
are left alone. `time` is ISO 8601 (UTC when it names no zone) or milliseconds since 1970.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO

from shared.errors import ToolInputError
from shared.market.candles import Candles, Row, moment_text

COLUMNS = ("time", "open", "high", "low", "close", "volume")
MAX_CANDLES = 100_000
# Beyond what any market quotes; squares and products of these are still finite numbers.
_LEAST, _MOST = 1e-18, 1e18
# Year 9999: what lies beyond cannot be written as a date.
_LAST_MOMENT = 253_402_300_799_000


def read_candles_csv(data: bytes) -> Candles:
    """The candles of a CSV file.

    Raises:
        ToolInputError: not such a file; names the line and what is wrong with it.
    """
    try:
        lines = csv.DictReader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise ToolInputError(
                f"the CSV file lacks the columns {', '.join(missing)}; its first line must name "
                f"{', '.join(COLUMNS)}"
            )
        rows: list[Row] = []
        for line in lines:
            rows.append(_row(line, lines.line_num, rows[-1][0] if rows else None))
            if len(rows) > MAX_CANDLES:
                raise ToolInputError(f"the CSV file has over {MAX_CANDLES:,} candles; cut it")
    except (UnicodeDecodeError, csv.Error) as error:
        raise ToolInputError("the file is not CSV text in UTF-8") from error
    if not rows:
        raise ToolInputError("the CSV file holds no candles")
    return Candles.of(rows)


def write_candles_csv(candles: Candles, extra: Mapping[str, Sequence[float | None]] | None = None) -> bytes:
    """The candles as CSV with ISO times; `extra` columns of the same length follow, None as an empty cell."""
    extra = extra or {}
    lines = [",".join((*COLUMNS, *extra))]
    for index, row in enumerate(candles.rows()):
        values = (*row[1:], *(column[index] for column in extra.values()))
        cells = ["" if value is None else plain_number(value) for value in values]
        lines.append(",".join((moment_text(row[0]), *cells)))
    return ("\n".join(lines) + "\n").encode()


def plain_number(value: float) -> str:
    """The number with ten significant digits, never in exponent form."""
    if value == 0:
        return "0"
    decimals = min(18, max(0, 9 - math.floor(math.log10(abs(value)))))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_candle(row: Row) -> str | None:
    """What is wrong with a candle, None for nothing."""
    _, opened, high, low, close, volume = row
    if not all(map(math.isfinite, row)):
        return "a value is not a number"
    if min(opened, high, low, close) < _LEAST or max(opened, high, low, close) > _MOST:
        return "a price is not over zero, or out of all range"
    if not 0 <= volume <= _MOST:
        return "the volume is under zero, or out of all range"
    if high < max(opened, close, low) or low > min(opened, close):
        return "high and low do not enclose open and close"
    return None


def _row(line: Mapping[str, str | None], number: int, before: int | None) -> Row:
    try:
        opened, high, low, close, volume = (float(line[name] or "") for name in COLUMNS[1:])
        row: Row = (_moment((line["time"] or "").strip()), opened, high, low, close, volume)
    except (TypeError, ValueError, OverflowError) as error:
        raise ToolInputError(f"line {number} of the CSV file is not a candle") from error
    problem = check_candle(row)
    if problem is None and before is not None and row[0] <= before:
        problem = "its time is not after the line before"
    if problem is not None:
        raise ToolInputError(f"line {number} of the CSV file is not a candle: {problem}")
    return row


def _moment(text: str) -> int:
    """Milliseconds since 1970; raises ValueError."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        moment = int(text)
    else:
        found = datetime.fromisoformat(text)
        moment = round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= moment <= _LAST_MOMENT:
        raise ValueError("out of range")
    return moment
