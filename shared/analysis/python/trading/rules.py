"""The rules for trading code, one line each, and the values that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Finding

Rule = Callable[[tuple[PythonFile, ...]], Iterable[Finding]]

RULES: tuple[Rule, ...] = ()


def check_trading(files: tuple[PythonFile, ...]) -> list[Finding]:
    """What the rules say of the bot; its tests are left out, as they neither trade nor decide."""
    traded = tuple(file for file in files if not file.is_test)
    return [finding for rule in RULES for finding in rule(traded)]
