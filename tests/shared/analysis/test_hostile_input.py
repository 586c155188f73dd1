"""Any text gives a report in bounded time: too deep, too big, too dense, or not code at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.analysis import Report, analyse_files
from shared.analysis.python import lint

# The parser warns of bad escapes in the analysed text; under this suite's rules that would be an error.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

N = 20_000


def report(code: str) -> Report:
    return analyse_files({"bot.py": code})


@pytest.mark.parametrize(
    "code",
    [
        "(" * N + "1" + ")" * N,
        "x = " + "-" * N + "1",
        "x = " + "not " * N + "1",
        "x = " + "1 + " * N + "1",
        "x = a" + ".b" * N,
        "x = a" + "()" * 500,
        "x = " + "lambda: " * N + "1",
        "if x:\n  y = 1\n" + "elif x:\n  y = 1\n" * 300,
        "x = 1\n" * 60_000,
        "x = [" + "1, " * 50_000 + "]",
        "# " + "a" * 300_000,
    ],
    ids=lambda code: code[:12],
)
def test_what_is_too_deep_or_too_big_is_a_finding_and_never_a_clean_result(code: str) -> None:
    result = report(code)
    assert [f.rule for f in result.findings] in (["not-checked"], ["syntax-error"])
    assert result.quality_score <= 70


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\0",
        "def f(:\n    pass\n",
        "if x:\n\ty = 1\n        z = 1\n",
        'x = "\ud800"',
        "# coding: nonsense\nx = 1\n",
        "# coding: rot13\nx = 1\n",
        "# coding: utf-16\nx = 1\n",
        "x = " + "9" * 5000,
        "return = 5",
    ],
)
def test_what_does_not_parse_scores_0(code: str) -> None:
    result = report(code)
    assert [(f.rule, f.category, f.severity) for f in result.findings] == [
        ("syntax-error", "syntax", "critical")
    ]
    assert result.quality_score == 0


def test_a_return_outside_a_function_parses_but_does_not_run() -> None:
    result = report("x = 1\nreturn x\n")
    assert [(f.category, f.line) for f in result.findings] == [("syntax", 2)]
    assert result.quality_score == 0


def test_code_is_read_by_its_coding_line_as_python_reads_it() -> None:
    hidden = "# coding: utf-7\nx = 1 # +AAo-eval(x)\n"
    assert "B307" in {f.rule for f in report(hidden).findings}


@pytest.mark.parametrize(
    "code",
    [
        "max_" * 50_000 + " = 1\n",
        'api_key = "' + "A-" * 2000 + '!"\n',
        ('x = "' + "://a" * 500 + '@"\n') * 40,
        ('x = "' + "eyJ" * 600 + '"\n') * 60,
        "def place():\n    exchange.create_order(a, b)\n\n" + "place()\n" * 2000,
        "for i in range(9):\n" + "    b = closes[i + 1]\n" * 1500 + "    b.open\n" * 1000,
        "m = ([" + "1," * 8000 + "]).mean()\n" + "(a - m) / m\n" * 2000,
        "x.shift(-" + "9" * 400 + ")\nfor i in range(3):\n    closes[i + 1e400]\n",
    ],
    ids=["name", "words", "urls", "tokens", "callers", "fills", "aliases", "numbers"],
)
def test_patterns_and_searches_take_no_runaway_time(code: str) -> None:
    start = time.process_time()
    report(code)
    assert time.process_time() - start < 10


WORDS = [
    *("if x:", "for i in range(9):", "closes[i+1]", "x", "1", "=", ",", ": ", "(", ")", "{", "}", "'", '"""'),
    *("await ", "lambda: ", "not ", " and ", "live", "def f", "class A", "while True:", "try:", "except:"),
    *("exchange.create_order(", ".shift(-1)", "api_key", "f'{", "@", "*", "#"),
    *("\n", "\n    ", "\r", "\f", "\\"),
]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_any_text_gives_a_score(code: str) -> None:
    assert 0 <= report(code).quality_score <= 100


def test_a_linter_that_says_too_much_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_MAX_OUTPUT", 2000)
    rules = [f.rule for f in report("import os\n" * 200).findings]
    assert "not-checked" in rules
    assert rules.count("F811") in range(1, 10)


def test_a_linter_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_TIMEOUT", 0.0)
    assert "not-checked" in {f.rule for f in report("import os\n" * 200).findings}


def test_files_after_the_time_limit_are_findings() -> None:
    result = analyse_files({"a.py": "x = 1\n", "b.py": "y = 1\n"}, time_limit=0.0)
    assert [(f.file, f.rule, f.severity) for f in result.findings] == [
        ("a.py", "not-checked", "high"),
        ("b.py", "not-checked", "high"),
    ]
