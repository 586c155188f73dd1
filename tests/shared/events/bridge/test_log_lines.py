"""Which lines of a bot's log are errors."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest

from shared.events.bridge.log_lines import MAX_LINE_CHARS, MAX_LINES, error_lines

CRASH = """INFO cycle 7
Traceback (most recent call last):
  File "/bot/main.py", line 12, in main
    price = prices["BTC"]

KeyError: 'BTC'
INFO bye"""


def test_of_a_crash_the_whole_traceback_and_no_more() -> None:
    found = error_lines(CRASH)
    assert found is not None
    assert found.message == "KeyError: 'BTC'"
    assert found.lines == (
        "Traceback (most recent call last):",
        '  File "/bot/main.py", line 12, in main',
        '    price = prices["BTC"]',
        "KeyError: 'BTC'",
    )
    assert found.time is None


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"level": "ERROR", "message": "no funds"}, "no funds"),
        ({"level": "critical", "event": "no funds"}, "no funds"),
        ({"levelname": "FATAL", "msg": "no funds"}, "no funds"),
        ({"severity": "error", "error": "no funds"}, "no funds"),
        ({"level": 50, "msg": "no funds"}, "no funds"),
    ],
)
def test_of_structured_logs_those_that_say_so(entry: dict[str, object], message: str) -> None:
    line = orjson.dumps({**entry, "timestamp": "2026-11-22T19:30:00Z"}).decode()
    found = error_lines(f'{{"level": "info", "message": "Error rate 0"}}\n{line}\n')
    assert found is not None
    assert (found.message, found.lines) == (message, (line,))
    assert found.time == datetime(2026, 11, 22, 19, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22 ERROR order refused",
        "Error: order refused",
        "thread 'main' panicked at src/main.rs:3",
        "Unhandled exception. System.InvalidOperationException: order refused",
        'Exception in thread "main" java.lang.IllegalStateException',
        "ccxt.base.errors.InsufficientFunds: binance requires ... Exception",
    ],
)
def test_plain_lines_that_look_wrong(line: str) -> None:
    found = error_lines(f"started\n{line}\n\tat main.go:3\nstopped")
    assert found is not None
    assert found.lines == (line, "\tat main.go:3")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "INFO no errors so far",
        "WARN retry after an Error",
        "the margin of terror",
        '{"level": "warn", "message": "Error"}',
        '{"level": 30, "msg": "fatal attraction"}',
        '{"_metric": "price", "value": 1}',
        "  indented alone",
    ],
)
def test_what_is_no_error(text: str) -> None:
    assert error_lines(text) is None


def test_a_broken_structure_is_a_plain_line() -> None:
    found = error_lines('{"level": "ERROR", "message": "cut of')
    assert found is not None


def test_a_flood_is_cut() -> None:
    found = error_lines("\n".join(["ERROR " + "x" * 3 * MAX_LINE_CHARS] * 3 * MAX_LINES))
    assert found is not None
    assert len(found.lines) == MAX_LINES
    assert {len(line) for line in found.lines} == {MAX_LINE_CHARS}
    assert len(found.message) == MAX_LINE_CHARS
