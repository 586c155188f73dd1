"""Each rule for trading code finds its fault and leaves the fault's clean twin alone."""

from __future__ import annotations

import pytest

from shared.analysis import Finding, analyse_files
from tests.shared.analysis.look_ahead_cases import LOOK_AHEAD
from tests.shared.analysis.order_cases import ORDERS
from tests.shared.analysis.trading_cases import Case

CASES = (*LOOK_AHEAD, *ORDERS)


def trading(files: dict[str, str]) -> list[Finding]:
    findings = analyse_files(files).findings
    return [f for f in findings if f.category == "trading" or f.rule == "slow-frame-loop"]


@pytest.mark.parametrize("case", [c for c in CASES if c.line], ids=lambda c: c.name)
def test_a_fault_is_found_at_its_line(case: Case) -> None:
    assert [(f.rule, f.line) for f in trading({"bot.py": case.code})] == [(case.rule, case.line)]


@pytest.mark.parametrize("case", [c for c in CASES if not c.line], ids=lambda c: c.name)
def test_a_clean_twin_has_no_finding(case: Case) -> None:
    assert [(f.rule, f.line) for f in trading({"bot.py": case.code})] == []


def test_guard_and_limit_may_stand_in_other_files_of_the_bot() -> None:
    order = """def place(exchange, symbol, amount):
    return exchange.create_order(symbol, "market", "buy", amount)
"""
    alone = trading({"orders.py": order})
    assert {f.rule for f in alone} == {"no-live-guard", "no-position-limit"}
    main = """from orders import place

def run(config, exchange, amount):
    amount = min(amount, config["max_position"])
    if not config["live_trading"]:
        return None
    return place(exchange, config["symbol"], amount)
"""
    assert trading({"orders.py": order, "main.py": main}) == []


def test_one_caller_without_the_guard_is_enough_for_the_finding() -> None:
    code = """def place(exchange, max_position):
    exchange.create_order("BTC/USDT", "market", "buy", max_position)

def careful(exchange, live_trading, max_position):
    if live_trading:
        place(exchange, max_position)

def careless(exchange, max_position):
    place(exchange, max_position)
"""
    assert [f.rule for f in trading({"bot.py": code})] == ["no-live-guard"]


def test_tests_of_a_bot_are_left_out() -> None:
    code = 'def test_order(exchange):\n    assert exchange.create_order("BTC/USDT", "market", "buy", 1)\n'
    report = analyse_files({"tests/test_orders.py": code})
    assert (report.findings, report.quality_score) == ((), 100)
