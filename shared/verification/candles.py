"""The candles of a CSV file as lines: cut, with another future, or with less of a past."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_NUMBERS = ("open", "high", "low", "close", "volume", "funding_rate")
_LEAST = 30


@dataclass(frozen=True, slots=True)
class CandleTable:
    """The rows of a CSV file, grouped by their time; `times` rise."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    times: tuple[str, ...]
    _places: tuple[int, ...]

    @classmethod
    def read(cls, content: bytes) -> CandleTable | None:
        """The table; None where the file holds no candles in the order of their times, or too few."""
        try:
            lines = list(csv.reader(io.StringIO(content.decode("utf-8"))))
        except (UnicodeDecodeError, csv.Error):
            return None
        if len(lines) < _LEAST:
            return None
        header = tuple(name.strip().lower() for name in lines[0])
        time = next(
            (header.index(name) for name in ("time", "timestamp", "date", "datetime") if name in header), None
        )
        rows = tuple(tuple(line) for line in lines[1:] if len(line) == len(header))
        if time is None or "close" not in header or len(rows) < _LEAST:
            return None
        moments = [row[time] for row in rows]
        times = tuple(dict.fromkeys(moments))
        order = {moment: place for place, moment in enumerate(times)}
        return cls(tuple(lines[0]), rows, times, tuple(order[one] for one in moments))

    def __len__(self) -> int:
        return len(self.times)

    def openings(self) -> dict[float, float]:
        """The opening of each time, where there is one market and the file tells it."""
        names = [name.strip().lower() for name in self.header]
        if "open" not in names or len(self.rows) != len(self.times):
            return {}
        place = names.index("open")
        found = {}
        for row, time in zip(self.rows, self.times, strict=True):
            moment = moment_of(time)
            try:
                opening = float(row[place])
            except ValueError:
                continue
            if moment is not None:
                found[moment] = opening
        return found

    def until(self, place: int) -> bytes:
        """The candles up to and with this one."""
        return self._written([row for row, at in zip(self.rows, self._places, strict=True) if at <= place])

    def since(self, place: int) -> bytes:
        """The candles from this one on."""
        return self._written([row for row, at in zip(self.rows, self._places, strict=True) if at >= place])

    def poisoned_after(self, place: int) -> bytes:
        """All candles, those after this one with prices that never were: other levels, other directions.

        The next one keeps its opening, at which what was decided before is traded.
        """
        # The same each time, so that a finding can be seen again.
        source = random.Random(place)  # noqa: S311
        names = [name.strip().lower() for name in self.header]
        numbers = [at for at, name in enumerate(names) if name in _NUMBERS]
        kept = {at for at, name in enumerate(names) if name == "open"}
        factors = [source.uniform(0.3, 3.0) for _ in self.times]
        changed = []
        for row, at in zip(self.rows, self._places, strict=True):
            cells = list(row)
            if at > place:
                for cell in (one for one in numbers if at > place + 1 or one not in kept):
                    cells[cell] = _scaled(cells[cell], factors[at])
            changed.append(tuple(cells))
        return self._written(changed)

    def _written(self, rows: Sequence[Sequence[str]]) -> bytes:
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(rows)
        return target.getvalue().encode()


def moment_of(text: str) -> float | None:
    """Seconds since 1970 of a time as files and metrics write it; None where it is none."""
    cleaned = text.strip()
    try:
        number = float(cleaned)
    except ValueError:
        try:
            moment = datetime.fromisoformat(cleaned.replace("Z", "+00:00"))
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    # Milliseconds, as exchanges count, or seconds.
    return number / 1000 if number > 1e11 else number


def _scaled(cell: str, factor: float) -> str:
    try:
        return f"{float(cell) * factor:.8f}"
    except ValueError:
        return cell
