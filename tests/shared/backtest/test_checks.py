"""What the checks make of answers: each verdict is caused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.backtest.booking import Booking
from shared.backtest.checks.calendar import judge_calendar
from shared.backtest.checks.costs import judge_costs
from shared.backtest.checks.decisions import judge_look_ahead, judge_repeatable, judge_warm_up, probe_points
from shared.backtest.checks.over_fitting import Variation, judge_over_fitting
from shared.backtest.checks.parameters import combinations, tunable_parameters
from shared.backtest.checks.trading import judge_account, judge_number, judge_one_trade, judge_survivorship
from shared.backtest.protocol import Crash, TaskAnswer
from shared.backtest.trades import Trade
from tests.shared.backtest.rows import HOUR, START

TIMES = [START + place * HOUR for place in range(50)]


def _decision(action: str = "hold", **values: float) -> list[Any]:
    return [[action, None, 1.0, [], values]]


def _trade(profit: float, *, is_open: bool = False) -> Trade:
    return Trade(
        symbol="X",
        side="long",
        quantity=1.0,
        entry_index=1,
        exit_index=2,
        entry_time=START,
        exit_time=START + HOUR,
        entry_price=100.0,
        exit_price=100.0 + profit,
        fees=0.0,
        profit=profit,
        profit_pct=profit,
        bars=1,
        entry_reason="in",
        reason="out",
        is_open=is_open,
    )


def test_a_decision_that_another_future_changes_is_look_ahead() -> None:
    answers = [
        (0, "full", 5, _decision("buy")),
        (0, "cut", 5, _decision("buy")),
        (0, "up", 5, _decision("hold")),
    ]
    result = judge_look_ahead(TaskAnswer(probes=answers, end={}), TIMES)
    assert result.severity == "finding"
    assert result.evidence["examples"] == [
        {"candle": "2024-01-01T05:00:00Z", "index": 5, "variant": "up", "decided": "buy", "then": "hold"}
    ]
    assert "2024-01-01T05:00:00Z" in result.message


def test_a_value_that_another_future_changes_is_look_ahead_too() -> None:
    answers = [(0, "full", 5, _decision(score=1.0)), (0, "cut", 5, _decision(score=1.1))]
    assert judge_look_ahead(TaskAnswer(probes=answers, end={}), TIMES).severity == "finding"


def test_equal_decisions_pass() -> None:
    answers = [(0, variant, 5, _decision("buy", score=1.0)) for variant in ("full", "cut", "up", "down")]
    result = judge_look_ahead(TaskAnswer(probes=answers, end={}), TIMES)
    assert (result.severity, result.evidence["decisions_compared"]) == ("passed", 3)


@pytest.mark.parametrize(
    ("changed", "asked", "severity"),
    [(0, 20, "passed"), (1, 20, "warning"), (2, 20, "finding"), (0, 0, "note")],
)
def test_warm_up(changed: int, asked: int, severity: str) -> None:
    answers: list[Any] = []
    for point in range(asked):
        answers.append((point, "full", point, _decision("buy")))
        answers.append((point, "more2", point, _decision("hold" if point < changed else "buy")))
    assert judge_warm_up(answers, TIMES).severity == severity


@pytest.mark.parametrize(
    ("crash", "severity"),
    [
        (Crash("time", "", None, limit="time"), "warning"),
        (Crash("exit 3", "", None), "finding"),
    ],
)
def test_a_probe_that_did_not_end_is_not_passed(crash: Crash, severity: str) -> None:
    answers = [(0, "full", 5, _decision("buy")), (0, "cut", 5, _decision("buy"))]
    assert judge_look_ahead(TaskAnswer(probes=answers, crash=crash), TIMES).severity == severity


def test_values_that_drift_with_more_history_are_a_warning() -> None:
    answers = [(0, "full", 5, _decision(ema=100.0)), (0, "more4", 5, _decision(ema=105.0))]
    result = judge_warm_up(answers, TIMES)
    assert result.severity == "warning"
    assert result.evidence["largest_value_drift_pct"] == pytest.approx(100 * 5 / 105)


def test_a_second_answer_or_a_fresh_copy_that_differs_is_a_finding() -> None:
    random_answers = [(0, "full", 5, _decision("buy")), (0, "again", 5, _decision("sell"))]
    assert judge_repeatable(random_answers, {}, TIMES).severity == "finding"
    steady = [(0, "full", 5, _decision("hold")), (0, "again", 5, _decision("hold"))]
    assert judge_repeatable(steady, {}, TIMES).severity == "passed"
    assert judge_repeatable(steady, {5: frozenset({"buy"})}, TIMES).severity == "finding"


def test_decisions_that_acted_are_probed_first_and_last() -> None:
    orders = [(place, 0, "buy", 1.0, "x") for place in range(10, 400, 3)]
    points = probe_points(orders, candles=500, needed=5)
    assert points[0] == 5
    assert {9, 396} <= set(points)
    assert len(points) <= 24
    assert max(points) <= 498


def test_orders_that_follow_the_dates_are_a_finding() -> None:
    orders = [(place, 0, "buy", 1.0, "x") for place in range(8)]
    assert judge_calendar(orders, orders).severity == "passed"
    assert judge_calendar(orders, []).severity == "finding"
    assert judge_calendar(orders, orders[:-1]).severity == "note"
    assert judge_calendar(orders, None).severity == "note"


@pytest.mark.parametrize(
    ("returns", "fills", "severity"),
    [
        ({0: 2.0, 1: -20.0, 2: -40.0, 5: -90.0}, 200, "finding"),
        ({0: 1.0, 1: -1.0, 2: -3.0, 5: -9.0}, 30, "warning"),
        ({0: 3.0, 1: 1.0, 2: -1.0, 5: -7.0}, 30, "warning"),
        ({0: 9.0, 1: 8.0, 2: 7.0, 5: 4.0}, 30, "passed"),
        ({1: 0.0}, 0, "note"),
        ({1: 5.0}, 30, "note"),
    ],
)
def test_costs(returns: dict[float, float], fills: int, severity: str) -> None:
    assert judge_costs(returns, fills=fills, candles=500, fees_pct=1.0).severity == severity


@pytest.mark.parametrize(("count", "severity"), [(9, "warning"), (10, "note"), (30, "passed")])
def test_the_number_of_trades(count: int, severity: str) -> None:
    trades = [*[_trade(1.0)] * count, _trade(1.0, is_open=True)]
    assert judge_number(trades).severity == severity


@pytest.mark.parametrize(
    ("profits", "severity"),
    [([10.0, 1.0, 1.0], "warning"), ([3.0] * 5, "passed"), ([-1.0, -2.0], "note"), ([5.0], "warning")],
)
def test_dependence_on_one_trade(profits: list[float], severity: str) -> None:
    assert judge_one_trade([_trade(profit) for profit in profits]).severity == severity


def test_an_account_that_differs_or_was_lost_is_a_finding() -> None:
    fine = Booking.of_holding((1.0, 1.0), 1.0)
    assert judge_account(fine, 0).severity == "passed"
    assert judge_account(fine, 3).severity == "finding"


def test_a_basket_is_warned_of_survivorship() -> None:
    assert judge_survivorship(["A"]).severity == "note"
    assert judge_survivorship(["A", "B", "C"]).severity == "warning"


def _variation(total: float, *, late: float | None = None) -> Variation:
    """An account that makes `total` per cent evenly, or all of it at first and `late` in the last half."""
    if late is None:
        return Variation(
            config={"n": total}, equity=tuple(100 * (1 + total / 100 * step / 8) for step in range(9))
        )
    first = [100 * (1 + total / 100 * min(step, 2) / 2) for step in range(5)]
    return Variation(
        config={"n": total},
        equity=tuple(first + [first[-1] * (1 + late / 100 * step / 4) for step in range(1, 5)]),
    )


def test_a_lone_peak_that_does_not_last_is_a_finding() -> None:
    neighbours = [_variation(-1.0) for _ in range(8)]
    assert judge_over_fitting([_variation(10.0, late=-5.0), *neighbours], candles=100).severity == "finding"
    assert judge_over_fitting([_variation(10.0), *neighbours], candles=100).severity == "warning"
    even = [_variation(8.0) for _ in range(8)]
    assert judge_over_fitting([_variation(10.0), *even], candles=100).severity == "passed"
    assert judge_over_fitting([_variation(10.0)], candles=100).severity == "note"


def test_a_variation_that_the_bot_refuses_is_told_and_not_counted() -> None:
    refused = Variation(config={"n": -1}, equity=None)
    result = judge_over_fitting([_variation(5.0), _variation(5.0), refused], candles=100)
    assert result.evidence["map"][2] == {"parameters": {"n": -1}, "return_pct": None}


def test_the_map_is_of_numbers_that_the_strategy_reads() -> None:
    schema = {
        "properties": {
            "period": {"type": "integer", "default": 14, "minimum": 13},
            "width": {"type": "number", "default": 2.0, "maximum": 2.2},
            "unread": {"type": "number", "default": 1.0},
            "paper_balance": {"type": "number", "default": 10000},
            "symbol": {"type": "string", "default": "BTC/USDT"},
        }
    }
    source = b"parameters.period * parameters.width + parameters.paper_balance"
    files = {"bot-schema.json": json.dumps(schema).encode(), "strategy.py": source}
    tunables = tunable_parameters(files, {})
    assert {one.name: one.neighbours for one in tunables} == {
        "period": (13.0, 15.0, 16.0),
        "width": (1.6, 1.8, 2.2),
    }
    made = combinations(tunables)
    assert made[0] == {"period": 14, "width": 2}
    assert len(made) == 16
    assert tunable_parameters({"strategy.py": source}, {}) == ()
    camel = {**files, "strategy.js": b"parameters.period", "strategy.py": b""}
    assert [one.name for one in tunable_parameters(camel, {"period": 20})] == ["period"]
