"""Closed candles that other instances have read, by way of the cache that all share."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import orjson

from shared.market.cache import Key, Stretch
from shared.market.candles import Candles, timeframe_ms
from shared.shared_cache import SharedCache

_VERSION = 1
_SECONDS = 6 * 3600.0
_COLUMNS = ("times", "opens", "highs", "lows", "closes", "volumes")


class SharedCandles:
    """The second level behind a `CandleCache`; without a shared cache it is empty."""

    def __init__(self, shared: SharedCache | None) -> None:
        self._shared = shared

    async def find(self, key: Key, *, now: int) -> Stretch | None:
        """What another instance kept of the series, all of it closed by `now` (ms)."""
        form = await self._shared.get(key=("candles", *key)) if self._shared is not None else None
        return _read(form, timeframe_ms(key[2]), now) if form is not None else None

    async def share(self, key: Key, stretch: Stretch) -> None:
        """Lets other instances have the stretch."""
        if self._shared is None or not stretch.candles:
            return
        columns = {name: getattr(stretch.candles, name) for name in _COLUMNS}
        form = orjson.dumps({"version": _VERSION, "since": stretch.since, **columns})
        await self._shared.put(key=("candles", *key), value=form, seconds=_SECONDS)


def _read(form: bytes, step: int, now: int) -> Stretch | None:
    try:
        values = orjson.loads(form)
        if values["version"] != _VERSION:
            return None
        candles = Candles(**{name: tuple(values[name]) for name in _COLUMNS})
        since = int(values["since"])
        return Stretch(since=since, candles=candles) if _is_sound(candles, step, now) else None
    except (ValueError, KeyError, TypeError):
        return None


def _is_sound(candles: Candles, step: int, now: int) -> bool:
    """Whether the columns are what `Candles` promises, and every candle has closed."""
    times = candles.times
    prices = (candles.opens, candles.highs, candles.lows, candles.closes)
    if not times or any(len(column) != len(times) for column in (*prices, candles.volumes)):
        return False
    return (
        all(isinstance(time, int) for time in times)
        and all(before < after for before, after in pairwise(times))
        and times[-1] + step <= now
        and all(_is_number(price) and price > 0 for column in prices for price in column)
        and all(_is_number(volume) for volume in candles.volumes)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
