"""Look-ahead by filling gaps from later rows: `.bfill()`, `.fillna(method="bfill")`, interpolation."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import argument, calls, finding, name_of
from shared.analysis.report import Finding

_BACKWARD = {"fillna": ("method", "bfill", "backfill"), "reindex": ("method", "bfill", "backfill"),
             "interpolate": ("limit_direction", "both", "backward")}  # fmt: skip


def backward_fill(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each gap filled with a value that was not known yet."""
    for file in files:
        for call in calls(file, "bfill", "backfill", *_BACKWARD):
            if isinstance(call.func, ast.Attribute) and _is_backward(call):
                yield finding(
                    file,
                    call,
                    rule="look-ahead-backfill",
                    severity="medium",
                    message="Fills a gap with a value of a later row.",
                    advice="Use ffill(), or drop the rows before the first known value.",
                )


def _is_backward(call: ast.Call) -> bool:
    name = name_of(call.func)
    if name in ("bfill", "backfill"):
        return True
    parameter, *values = _BACKWARD[name]
    given = argument(call, None, parameter)
    return isinstance(given, ast.Constant) and given.value in values
