"""Closed candles already read, in this process: a closed candle does not change, so it is asked for once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from shared.market.candles import Candles

MAX_CANDLES = 120_000

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Candles without a hole since `since` (ms), the moment that was asked for; older ones may be missing."""

    since: int
    candles: Candles


class CandleCache:
    """Stretches by exchange, symbol and timeframe; the least recently used go when they hold too much."""

    def __init__(self, *, max_candles: int = MAX_CANDLES) -> None:
        self._max_candles = max_candles
        self._count = 0
        self._stretches: OrderedDict[Key, Stretch] = OrderedDict()

    def find(self, key: Key) -> Stretch | None:
        """What is kept of the series."""
        stretch = self._stretches.get(key)
        if stretch is not None:
            self._stretches.move_to_end(key)
        return stretch

    def keep(self, key: Key, stretch: Stretch) -> None:
        """Keeps the stretch in place of an older one; too long a one is not kept at all."""
        before = self._stretches.pop(key, None)
        self._count -= len(before.candles) if before else 0
        if not stretch.candles or len(stretch.candles) > self._max_candles:
            return
        self._stretches[key] = stretch
        self._count += len(stretch.candles)
        while self._count > self._max_candles:
            _, dropped = self._stretches.popitem(last=False)
            self._count -= len(dropped.candles)
