"""The candles of a backtest: of one market or several, as text cells and as numbers, aligned by time."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO

from shared.backtest.inside.ledger import Row
from shared.errors import ToolInputError
from shared.market.candles import Candles, spacing_ms
from shared.market.csv_file import check_candle, plain_number

COLUMNS = ("time", "open", "high", "low", "close", "volume")
MAX_CANDLES = 50_000
LEAST_CANDLES = 30
_MOST_FUNDING = 1.0

# Opening time in ms, then open, high, low, close, volume, funding rate as they were written.
Cells = tuple[int, str, str, str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCandles:
    """Candles of the markets `symbols`, oldest first, all of the same times.

    `cells` are what a bot reads, `rows` the same as numbers; `columns` are those of a bot's CSV file.
    `dropped` counts candles whose time not every market has. `source` says where they come from.
    """

    symbols: tuple[str, ...]
    cells: tuple[tuple[Cells, ...], ...] = field(repr=False, hash=False)
    rows: tuple[tuple[Row, ...], ...] = field(repr=False, hash=False)
    columns: tuple[str, ...]
    source: str
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    @property
    def step_ms(self) -> int:
        """The commonest distance between two openings in ms."""
        return spacing_ms(Candles.of([row[:6] for row in self.rows[0]])) if self.rows else 0

    @property
    def times(self) -> list[int]:
        """The openings in ms."""
        return [row[0] for row in self.rows[0]]

    def of_symbols(self, symbols: Sequence[str]) -> list[tuple[Row, ...]]:
        """The rows of these markets in this order; a single market goes by any name."""
        if len(symbols) == 1 and len(self.symbols) == 1:
            return [self.rows[0]]
        by_symbol = dict(zip(self.symbols, self.rows, strict=True))
        return [by_symbol[symbol] for symbol in symbols]

    def last(self, count: int) -> MarketCandles:
        """The newest candles, at most so many."""
        start = max(0, len(self) - count)
        return MarketCandles(
            symbols=self.symbols,
            cells=tuple(cells[start:] for cells in self.cells),
            rows=tuple(rows[start:] for rows in self.rows),
            columns=self.columns,
            source=self.source,
            dropped=self.dropped,
        )


def read_market_csv(data: bytes, *, source: str, symbol: str = "market") -> MarketCandles:
    """The candles of a bot's CSV file; `symbol` names the market where the file has no such column.

    Raises:
        ToolInputError: not such a file; names the line and what is wrong with it.
    """
    try:
        lines = csv.DictReader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = tuple(lines.fieldnames or ())
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise ToolInputError(
                f"{source} lacks the columns {', '.join(missing)}; its first line must name "
                f"{', '.join(COLUMNS)}"
            )
        found: dict[str, dict[int, Cells]] = {}
        for line in lines:
            _read_line(line, lines.line_num, found, source=source, symbol=symbol)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ToolInputError(f"{source} is not CSV text in UTF-8") from error
    columns = tuple(name for name in ("symbol", *COLUMNS, "funding_rate") if name in names)
    return aligned(found, columns=columns, source=source)


def market_candles(series: Mapping[str, Candles], *, source: str) -> MarketCandles:
    """The candles of an exchange's markets."""
    found: dict[str, dict[int, Cells]] = {}
    for symbol, candles in series.items():
        found[symbol] = {
            time: (time, *(plain_number(value) for value in values), "0")  # type: ignore[misc]
            for time, *values in candles.rows()
        }
    columns = ("symbol", *COLUMNS) if len(series) > 1 else COLUMNS
    return aligned(found, columns=columns, source=source)


def aligned(
    found: Mapping[str, Mapping[int, Cells]], *, columns: Sequence[str], source: str
) -> MarketCandles:
    """The candles of the times that every market has.

    Raises:
        ToolInputError: too few or too many of them.
    """
    symbols = tuple(found)
    times = sorted(set.intersection(*(set(cells) for cells in found.values()))) if found else []
    if not times:
        raise ToolInputError(f"{source} holds no candles that all its markets share")
    if len(times) > MAX_CANDLES:
        raise ToolInputError(f"{source} has {len(times):,} candles and {MAX_CANDLES:,} are the most; cut it")
    cells = tuple(tuple(found[symbol][time] for time in times) for symbol in symbols)
    return MarketCandles(
        symbols=symbols,
        cells=cells,
        rows=tuple(tuple(_numbers(one) for one in series) for series in cells),
        columns=tuple(columns),
        source=source,
        dropped=sum(len(series) for series in found.values()) - len(times) * len(symbols),
    )


def _read_line(
    line: Mapping[str, str | None],
    number: int,
    found: dict[str, dict[int, Cells]],
    *,
    source: str,
    symbol: str,
) -> None:
    name = (line.get("symbol") or symbol).strip()[:80]
    try:
        texts = [(line[column] or "").strip() for column in COLUMNS[1:]]
        cells: Cells = (
            _moment((line["time"] or "").strip()),
            *texts,  # type: ignore[assignment]
            (line.get("funding_rate") or "0").strip() or "0",
        )
        row = _numbers(cells)
        problem = check_candle(row[:6])
        if problem is None and not -_MOST_FUNDING <= row[6] <= _MOST_FUNDING:
            problem = "the funding rate is not a share between -1 and 1"
    except (TypeError, ValueError, OverflowError) as error:
        raise ToolInputError(f"line {number} of {source} is not a candle") from error
    series = found.setdefault(name, {})
    if problem is None and series and row[0] <= next(reversed(series)):
        problem = "its time is not after that of the candle before"
    if problem is not None:
        raise ToolInputError(f"line {number} of {source} is not a candle: {problem}")
    series[row[0]] = cells


def _numbers(cells: Cells) -> Row:
    time, opening, high, low, close, volume, funding = cells
    return (time, float(opening), float(high), float(low), float(close), float(volume), float(funding))


def _moment(text: str) -> int:
    """Milliseconds since 1970; raises ValueError."""
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
