"""Asks a freshly imported bot for the same decisions with other futures, and with more of the past."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.backtest.inside.bot import Bot, Cells
from shared.backtest.inside.variants import varied

if TYPE_CHECKING:
    from shared.backtest.inside.driver import Driver

# How far before the cut decisions are compared: a leak of many candles shows in all of them.
OFFSETS = (0, 1, 2, 3, 5, 8, 13, 21)
# How much more history the warm-up probe gives: times what the strategy says it needs.
MORE = (2, 4)


def probe(driver: Driver, number: int, task: Mapping[str, Any]) -> None:
    """Emits the decisions of every point on every variant.

    A point is {"at": index, "holdings": [[quantity, entry, last, time] of each market]}: the variants change
    what comes after the candle `at`. `again` is the full variant asked a second time, `more2` and `more4`
    are windows of more history.
    """
    original = driver.markets(task)
    for place, point in enumerate(task["points"]):
        for variant in task["variants"]:
            markets = varied(original, variant, point["at"] + 1)
            try:
                bot = driver.bot(task, markets)
                asking = _Asking(driver, (number, place), bot, driver.ordered(bot, markets), point)
            # A bot that cannot even be imported without what comes later is a finding, not our failure.
            except Exception as error:  # noqa: BLE001
                driver.emit(number, "probe", place, variant, point["at"], [_raised(error)])
                continue
            asking.each_offset(variant)
            if variant == "full":
                asking.once("again", 1)
                for times in MORE:
                    if point["at"] + 1 >= times * bot.needed:
                        asking.once(f"more{times}", times)


class _Asking:
    """The questions at one point of one variant."""

    def __init__(
        self,
        driver: Driver,
        place: tuple[int, int],
        bot: Bot,
        markets: list[list[Cells]],
        point: Mapping[str, Any],
    ) -> None:
        self._driver, self._place, self._bot = driver, place, bot
        self._at: int = point["at"]
        self._start = max(0, self._at + 1 - max(OFFSETS) - max(MORE) * bot.needed)
        self._candles = [bot.candles(rows[self._start : self._at + 1]) for rows in markets]
        self._holdings = [bot.held(*held) for held in point["holdings"]]

    def each_offset(self, variant: str) -> None:
        """The decisions at the point and somewhat before it."""
        for offset in OFFSETS:
            if self._at >= offset:
                self._ask(variant, self._at - offset, 1)

    def once(self, variant: str, times: int) -> None:
        """The decision at the point with so many times the history."""
        self._ask(variant, self._at, times)

    def _ask(self, variant: str, index: int, times: int) -> None:
        end = index + 1 - self._start
        start = max(0, end - times * self._bot.needed)
        windows = [series[start:end] for series in self._candles]
        try:
            told = [signal_form(one) for one in self._bot.decide(windows, self._holdings)]
        except Exception as error:  # noqa: BLE001 - see above
            told = [_raised(error)]
        number, place = self._place
        self._driver.emit(number, "probe", place, variant, index, told)


def _raised(error: Exception) -> list[Any]:
    return [f"raised {type(error).__name__}", None, 1.0, [], {}]


def signal_form(signal: Any) -> list[Any] | None:
    """A decision as JSON: action, amount, share, quotes, values; None where a market had none."""
    if signal is None:
        return None
    amount = getattr(signal, "amount", None)
    quotes: Sequence[Any] = getattr(signal, "quotes", ())
    return [
        str(signal.action),
        None if amount is None else float(amount),
        float(getattr(signal, "share", 1)),
        [[str(quote.side), float(quote.price), float(quote.amount)] for quote in quotes],
        {str(name)[:40]: _finite(value) for name, value in dict(getattr(signal, "values", {})).items()},
    ]


def _finite(value: Any) -> float | None:
    """The number; None where it is not finite, which JSON cannot say."""
    number = float(value)
    return number if math.isfinite(number) else None
