"""The rules for trading code, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.backward_fill import backward_fill
from shared.analysis.python.trading.busy_loop import busy_loop
from shared.analysis.python.trading.centred_window import centred_window
from shared.analysis.python.trading.float_equality import float_equality
from shared.analysis.python.trading.future_index import future_index
from shared.analysis.python.trading.live_guard import live_guard
from shared.analysis.python.trading.negative_shift import negative_shift
from shared.analysis.python.trading.position_limit import position_limit
from shared.analysis.python.trading.row_loop import row_loop
from shared.analysis.python.trading.swallowed_error import swallowed_error
from shared.analysis.python.trading.whole_series import whole_series
from shared.analysis.report import Finding

Rule = Callable[[tuple[PythonFile, ...]], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    negative_shift,
    future_index,
    whole_series,
    centred_window,
    backward_fill,
    position_limit,
    live_guard,
    swallowed_error,
    busy_loop,
    float_equality,
    row_loop,
)


def check_trading(files: tuple[PythonFile, ...]) -> list[Finding]:
    """What the rules say of the bot; its tests are left out, as they neither trade nor decide."""
    traded = tuple(file for file in files if not file.is_test)
    return [finding for rule in RULES for finding in rule(traded)]
