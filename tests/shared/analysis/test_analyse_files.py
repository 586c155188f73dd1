"""The report on a set of files: what each check contributes, in which order, and on which files."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.analysis import Finding, analyse_files
from shared.analysis.registry import ANALYSERS, analyser_for, analyser_of, languages
from shared.analysis.report import order

CLEAN = '''"""A strategy."""

from collections.abc import Sequence


def signal(closes: Sequence[float], period: int) -> str:
    """What to do, by the mean of the last closes."""
    if len(closes) < period:
        return "hold"
    mean = sum(closes[-period:]) / period
    return "buy" if closes[-1] > mean else "sell"
'''

GROWN = """def f(a):
    b = []
    for x in a:
        b.append(x * 2)
    return b
"""


def rules(code: str, name: str = "main.py") -> dict[str, Finding]:
    return {f.rule: f for f in analyse_files({name: code}).findings}


def test_clean_code_scores_100() -> None:
    report = analyse_files({"strategy.py": CLEAN})
    assert (report.quality_score, report.findings, report.language) == (100, (), "python")
    assert (report.metrics.lines, report.metrics.functions, report.metrics.max_complexity) == (11, 1, 3)
    assert 50 < report.metrics.maintainability <= 100


def test_no_files_and_empty_files_are_clean() -> None:
    assert analyse_files({}).quality_score == 100
    assert analyse_files({"__init__.py": ""}).quality_score == 100


@pytest.mark.parametrize(
    ("code", "rule", "severity"),
    [
        ("import subprocess\n\nsubprocess.run('ls ' + input(), shell=True)\n", "B602", "critical"),
        ("exec(input())\n", "B102", "critical"),
        ("print(eval(input()))\n", "B307", "high"),
        ("import yaml\n\nyaml.load(open('a'))\n", "B506", "medium"),
        ("import requests\n\nrequests.get('https://a.example', verify=False, timeout=1)\n", "B501", "high"),
        ("import requests\n\nrequests.get('https://a.example')\n", "B113", "medium"),
        ("assert input()\n", "B101", "low"),
    ],
)
def test_bandit_speaks(code: str, rule: str, severity: str) -> None:
    finding = rules(code)[rule]
    assert (finding.category, finding.severity) == ("security", severity)
    assert finding.line == len(code.splitlines())
    assert finding.message
    assert finding.advice


def test_suppression_comments_do_not_hide_security_findings() -> None:
    assert "B307" in rules("print(eval(input()))  # nosec\n")


@pytest.mark.parametrize(
    ("code", "rule", "category", "severity"),
    [
        ("print(missing)\n", "F821", "style", "high"),
        ("import os\n", "F401", "style", "info"),
        ("def f(x=[]):\n    return x\n", "B006", "style", "medium"),
        ("import time\n\n\nasync def f():\n    time.sleep(1)\n", "ASYNC251", "performance", "medium"),
        ("import datetime\n\nprint(datetime.datetime.now())\n", "DTZ005", "style", "low"),
        (GROWN, "PERF401", "performance", "low"),
    ],
)
def test_ruff_speaks(code: str, rule: str, category: str, severity: str) -> None:
    finding = rules(code)[rule]
    assert (finding.category, finding.severity) == (category, severity)
    assert finding.advice


def test_a_complex_function_is_a_finding_and_counts() -> None:
    code = (
        "def f(x):\n"
        + "".join(f"    if x == {n}:\n        return {n * n}\n" for n in range(24))
        + "    return 0\n"
    )
    report = analyse_files({"main.py": code})
    assert report.metrics.max_complexity == 25
    assert [(f.rule, f.severity, f.line) for f in report.findings] == [("complex-function", "medium", 1)]
    assert report.quality_score == 84
    assert report.optimizations == report.findings


def test_a_file_that_does_not_parse_has_that_one_finding_and_the_rest_is_checked() -> None:
    report = analyse_files({"a.py": "def f(:\n    eval(x)\n", "b.py": "print(eval(input()))\n"})
    assert [(f.file, f.rule) for f in report.findings] == [("a.py", "syntax-error"), ("b.py", "B307")]
    assert (report.findings[0].line, report.quality_score) == (1, 0)


@pytest.mark.parametrize("code", ["x = {}'\n", "def {} = 5\n", "print({})\n", 'x = {{"{}": 1, "{}": 1}}\n'])
def test_what_linters_quote_of_the_code_is_no_leak(code: str) -> None:
    secret = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"
    findings = analyse_files({"a.py": code.format(secret, secret)}).findings
    assert findings
    assert all(secret not in f.message + f.advice for f in findings)


def test_tests_may_assert_and_are_not_measured() -> None:
    code = "import random\n\n\ndef test_a() -> None:\n    assert random.random() < 1\n"
    assert rules(code).keys() == {"B101", "B311"}
    for name in ("tests/test_a.py", "test_a.py", "tests/deep/helpers.py", "conftest.py", "a_test.py"):
        report = analyse_files({name: code})
        assert (report.quality_score, report.findings, report.metrics.lines) == (100, (), 0)


def test_findings_come_worst_first_then_by_file_and_line() -> None:
    code = "import os\nimport sys\n\nprint(eval(input()))\nprint(missing)\n"
    findings = analyse_files({"b.py": code, "a.py": code}).findings
    assert list(findings) == sorted(findings, key=order)
    assert [(f.severity, f.file) for f in findings[:4]] == [("high", "a.py")] * 2 + [("high", "b.py")] * 2


def test_a_whole_bot_scores_no_better_than_its_worst_file() -> None:
    bad = "print(eval(input()))\nprint(missing)\n"
    alone = analyse_files({"bad.py": bad}).quality_score
    assert analyse_files({"bad.py": bad, "strategy.py": CLEAN}).quality_score == alone
    assert analyse_files({"bad.py": bad, "worse.py": "exec(input())\n"}).quality_score < alone


def test_lists_of_the_report_are_views_of_its_findings() -> None:
    code = "import time\n\n\nasync def f(x=[]):\n    time.sleep(1)\n    return eval(x)\n"
    report = analyse_files({"main.py": code})
    assert {f.rule for f in report.security_issues} == {"B307"}
    assert {f.rule for f in report.performance_tips} == {"ASYNC251"}
    assert {f.rule for f in report.optimizations} == {"B006"}


def test_threads_do_not_disturb_each_other() -> None:
    leak = 'api_key = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"\nprint(eval(input()))\n'
    files = {"main.py": leak, "strategy.py": CLEAN}
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: analyse_files(files), range(12)))
    assert all(report == reports[0] for report in reports)
    assert {f.rule for f in reports[0].findings} == {"secret-in-code", "B307"}


def test_languages_are_named_by_ending_and_by_name() -> None:
    assert languages() == ("python", "javascript", "typescript")
    assert analyser_for("bots/Main.PY") is ANALYSERS[0]
    assert analyser_of("Python") is ANALYSERS[0]
    assert analyser_for("src/index.MJS") is ANALYSERS[1] is analyser_of("JavaScript")
    assert analyser_for("bot.d.ts") is ANALYSERS[2] is analyser_of("typescript")
    assert analyser_for("main.rs") is None
    assert analyser_of("rust") is None


def test_the_package_loads_no_linter_before_it_is_used() -> None:
    heavy = ("bandit", "radon", "detect_secrets", "shared.analysis.secrets")
    code = f"import sys, shared.analysis; print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
