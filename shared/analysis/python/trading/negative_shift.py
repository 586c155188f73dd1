"""Look-ahead by shifting a series back in time: `.shift(-1)`, `.diff(-1)`, `np.roll(x, -1)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import argument, calls, finding, is_label, learns, name_of, number
from shared.analysis.report import Finding


def negative_shift(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each shift into the past by a negative literal; targets of a trained model are exempt."""
    training = learns(files)
    for file in files:
        for call in calls(file, "shift", "pct_change", "diff", "roll"):
            if _is_negative(call) and not (training and _makes_label(file, call)):
                yield finding(
                    file,
                    call,
                    rule="look-ahead-shift",
                    severity="high",
                    message=f"{name_of(call.func)} with a negative step brings later values to earlier rows.",
                    advice="Shift by a positive number, so that a row sees only what was known then.",
                )


def _is_negative(call: ast.Call) -> bool:
    if name_of(call.func) == "roll":
        step = number(argument(call, 1, "shift"))
        return _is_numpy(call.func) and step is not None and step < 0
    step = number(argument(call, 0, "periods"))
    return isinstance(call.func, ast.Attribute) and step is not None and step < 0


def _is_numpy(function: ast.expr) -> bool:
    return not isinstance(function, ast.Attribute) or name_of(function.value) in ("np", "numpy")


def _makes_label(file: PythonFile, call: ast.Call) -> bool:
    statement = next((node for node in file.ancestors(call) if isinstance(node, ast.stmt)), None)
    return isinstance(statement, ast.Assign) and all(is_label(target) for target in statement.targets)
