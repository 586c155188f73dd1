"""Statistics, levels, regime and the report, on candles whose answers one can work out."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from shared.market.candles import Candles
from shared.market.correlation import correlation_of
from shared.market.levels import Level, levels_of
from shared.market.measures import number
from shared.market.regime import regime_of
from shared.market.report import report_of
from shared.market.statistics import annualised_volatility, candles_per_year, correlations, drawdown
from tests.shared.market.test_indicators import candles_of, walk

DAY = 86_400_000


def daily(closes: list[float], volume: float = 10.0) -> Candles:
    return Candles.of([(DAY * i, c, c, c, c, volume) for i, c in enumerate(closes)])


def test_a_year_has_as_many_candles_as_are_seen() -> None:
    weekdays = [day for day in range(0, 3650) if day % 7 < 5]
    shares = Candles.of([(DAY * day, 1.0, 1.0, 1.0, 1.0, 0.0) for day in weekdays])
    assert candles_per_year(daily([1.0] * 100)) == pytest.approx(365.25)
    assert candles_per_year(shares) == pytest.approx(365.25 * 5 / 7, rel=0.002)
    assert candles_per_year(daily([1.0])) is None


def test_volatility_of_returns_that_alternate() -> None:
    closes = [100.0 if i % 2 else 101.0 for i in range(101)]
    step = math.log(1.01)
    expected = step * math.sqrt(100 / 99) * math.sqrt(365.25)
    assert annualised_volatility(daily(closes)) == pytest.approx(expected)


def test_the_deepest_fall_and_the_present_one() -> None:
    found = drawdown(daily([100.0, 120.0, 90.0, 110.0, 130.0, 117.0]))
    assert found.deepest == pytest.approx(0.25)
    assert found.current == pytest.approx(0.1)
    assert (found.peak_time, found.trough_time) == (DAY, 2 * DAY)
    assert drawdown(daily([1.0, 2.0, 3.0])).deepest == 0


def test_swings_near_each_other_are_one_level() -> None:
    # Lows at 90, 90.5 and 80 between highs at 110 and 111.
    closes: list[float] = []
    for low, high in ((90.0, 110.0), (90.5, 111.0), (80.0, 110.5)):
        closes += [100.0, 97.0, 94.0, low, 94.5, 97.5, 100.5, 104.0, 107.0, high, 107.5, 104.5]
    found = levels_of(daily([*closes, 100.0, 100.0]), atr=4.0)
    assert found.supports == (Level(price=90.25, touches=2), Level(price=80.0, touches=1))
    assert found.resistances == (Level(price=110.5, touches=3),)


@pytest.mark.parametrize(
    ("adx", "fast", "slow", "ratio", "expected"),
    [
        (25.0, 2.0, 1.0, 1.0, "trending_up"),
        (40.0, 1.0, 2.0, 3.0, "trending_down"),
        (24.9, 2.0, 1.0, 1.5, "volatile_range"),
        (10.0, 2.0, 1.0, 0.6, "quiet_range"),
        (10.0, 2.0, 1.0, 1.0, "range"),
    ],
)
def test_the_regime_by_its_rules(adx: float, fast: float, slow: float, ratio: float, expected: str) -> None:
    assert regime_of(adx=adx, fast_ema=fast, slow_ema=slow, volatility_ratio=ratio) == expected


def test_correlation_is_over_the_candles_in_common() -> None:
    one = walk(100)
    late = Candles.of([(t, 1 / o, 1 / lo, 1 / h, 1 / c, v) for t, o, h, lo, c, v in one.rows()[40:]])
    found = correlations({"a": one, "b": one, "c": late, "d": one.part(0, 45)})
    assert found[("a", "b")] == pytest.approx(1)
    assert found[("a", "c")] == pytest.approx(-1)
    assert found[("c", "d")] is None
    measure = correlation_of({"a": one, "c": late})
    assert (measure.label, measure.values) == ("opposite", {"a c": -1.0})


def test_a_market_that_never_moved_correlates_with_nothing() -> None:
    still = Candles.of([(t, 1.0, 1.0, 1.0, 1.0, 0.0) for t in walk(60).times])
    measure = correlation_of({"a": walk(60), "still": still})
    assert (measure.label, measure.values) == ("unknown", {"a still": None})


def test_a_rise_and_a_fall_are_called_so() -> None:
    rise = report_of(candles_of([100 * 1.01**i for i in range(120)]), start=0).measures
    fall = report_of(candles_of([100 * 0.99**i for i in range(120)], spread=0.2), start=0).measures
    assert (rise["trend"].label, rise["regime"].label, rise["rsi"].label) == (
        "up", "trending_up", "overbought",
    )  # fmt: skip
    assert (fall["trend"].label, fall["regime"].label, fall["rsi"].label) == (
        "down", "trending_down", "oversold",
    )  # fmt: skip
    assert rise["drawdown"].label == "none"
    assert rise["trend"].values["ema20_slope_pct"] == pytest.approx(1.05, abs=0.02)


def test_prices_that_never_moved_have_reasons_not_numbers() -> None:
    measures = report_of(daily([100.0] * 300, volume=0.0), start=250).measures
    assert {name: measure.label for name, measure in measures.items()} == {
        "trend": "sideways",
        "regime": "unknown",
        "volatility": "low",
        "drawdown": "none",
        "rsi": "unknown",
        "macd": "neutral",
        "bollinger": "flat",
        "adx": "unknown",
        "volume": "unknown",
        "levels": "none",
    }
    assert "did not move" in measures["rsi"].sentence
    assert "Nothing was traded" in measures["volume"].sentence


@pytest.mark.parametrize("count", [2, 3, 14, 15, 20, 21, 27, 28, 33, 34, 49, 50, 59, 60, 199, 200, 600])
def test_any_number_of_candles_gives_strict_json_and_reasons(count: int) -> None:
    measures = report_of(walk(count), start=0).measures
    json.dumps({name: asdict(measure) for name, measure in measures.items()}, allow_nan=False)
    for measure in measures.values():
        assert measure.sentence.endswith(".")
        if measure.label == "unknown":
            assert "needs" in measure.sentence
        else:
            assert measure.values or "no " in measure.sentence.lower()


def test_the_window_alone_counts_for_what_is_about_it() -> None:
    crash_then_calm = [100.0] * 50 + [50.0] * 3 + [50.0 + i % 2 for i in range(60)]
    whole, window = (report_of(daily(crash_then_calm), start=start).measures for start in (0, 53))
    assert whole["drawdown"].values["max_pct"] == 50.0
    assert window["drawdown"].values["max_pct"] == pytest.approx(1.96, abs=0.01)
    assert whole["rsi"] == window["rsi"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (62276.31, "62,276.3"),
        (0.0000123456, "0.0000123456"),
        (1.5, "1.5"),
        (0, "0"),
        (-12.3456789, "-12.3457"),
    ],
)
def test_prices_in_words_are_never_in_exponent_form(value: float, text: str) -> None:
    assert number(value) == text
