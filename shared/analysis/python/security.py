"""Security findings by bandit, used as a library.

Suppression comments are not honoured: the code comes from a model or a stranger, and the reader decides.
Bandit's rules on hard-coded passwords (B105 to B107) are left to literals.py and secrets.py, which tell
exchange keys from placeholders.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Finding, Severity

if TYPE_CHECKING:
    # bandit ships no types.
    from bandit.core.issue import Issue  # type: ignore[import-untyped]

_SKIPPED = {"B105", "B106", "B107"}
# Asserts, folders for scratch files and random numbers are the tools of tests.
_SKIPPED_IN_TESTS = {"B101", "B108", "B311"}
_SEVERITIES: dict[str, Severity] = {"HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
# Where bandit's own severity does not say what the finding means for a bot that holds exchange keys.
_SEVERITY_OF: dict[str, Severity] = {
    "B102": "critical",  # exec
    "B307": "high",  # eval
    "B602": "critical",  # subprocess with a shell
    "B605": "critical",  # os.system and kin
    "B311": "info",  # random numbers that are not for cryptography: simulations use them
    "B403": "info",  # importing a module is no fault, its use is
    "B404": "info",
}
_ADVICE = {
    "B101": "Raise an exception instead: asserts vanish when Python runs with -O.",
    "B102": "Call the code you mean directly; never execute text.",
    "B110": "Catch the exception you expect and log it.",
    "B112": "Catch the exception you expect and log it before going on.",
    "B113": "Give every request a timeout, such as timeout=10.",
    "B301": "Store data as JSON: loading a pickle can run code.",
    "B303": "Use hashlib.sha256.",
    "B307": "Use ast.literal_eval or json.loads for data, and plain functions for logic.",
    "B311": "Fine for simulation; use the module secrets where an attacker must not guess.",
    "B324": "Use hashlib.sha256, or usedforsecurity=False where an exchange asks for this hash.",
    "B501": "Leave certificate checks on: without them keys and orders can be read and changed.",
    "B506": "Use yaml.safe_load.",
    "B602": "Pass a list of arguments and leave shell=False.",
    "B605": "Use subprocess.run with a list of arguments.",
    "B608": "Use query parameters instead of building SQL from strings.",
}


def check_security(file: PythonFile) -> Iterator[Finding]:
    """What bandit says of the file."""
    skipped = _SKIPPED | (_SKIPPED_IN_TESTS if file.is_test else set())
    for issue in _issues(file.text):
        if issue.test_id not in skipped:
            yield _finding(file.name, issue)


def _issues(text: str) -> list[Issue]:
    config, manager, node_visitor = _modules()
    name = "./bot.py"
    bandit = manager.BanditManager(config.BanditConfig(), "file")
    bandit.metrics.begin(name)
    data = text.encode("utf-8")
    visitor = node_visitor.BanditNodeVisitor(
        name, io.BytesIO(data), bandit.b_ma, bandit.b_ts, False, {}, bandit.metrics
    )
    visitor.process(data)
    return list(visitor.tester.results)


@cache
def _modules() -> tuple[ModuleType, ModuleType, ModuleType]:
    # Bandit 1.9.4 gives stevedore an argument that stevedore 5.10 no longer wants; nothing depends on it.
    warnings.filterwarnings("ignore", message="The verify_requirements argument", category=DeprecationWarning)
    # bandit ships no types.
    from bandit.core import config, manager, node_visitor  # type: ignore[import-untyped]

    return config, manager, node_visitor


def _finding(name: str, issue: Issue) -> Finding:
    rule = str(issue.test_id)
    default = _SEVERITIES.get(str(issue.severity), "low")
    return Finding(
        category="security",
        severity=_SEVERITY_OF.get(rule, default),
        file=name,
        line=max(1, int(issue.lineno or 1)),
        column=max(0, int(issue.col_offset)) + 1,
        rule=rule,
        message=f"{str(issue.test).replace('_', ' ').capitalize()}: {_first_sentence(str(issue.text))}",
        advice=_ADVICE.get(rule, "Remove it, or use the safe call that the message names."),
    )


def _first_sentence(text: str) -> str:
    return " ".join(text.split())[:160]
