"""Slow work on frames: row by row in Python, or growing them inside a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import argument, calls, finding, name_of, number
from shared.analysis.report import Finding


def row_loop(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for `iterrows`, `apply(axis=1)` and `concat` inside a loop."""
    for file in files:
        for call in calls(file, "iterrows", "apply", "concat"):
            if _is_slow(file, call):
                yield finding(
                    file,
                    call,
                    rule="slow-frame-loop",
                    severity="low",
                    category="performance",
                    message=f"{name_of(call.func)} works on the frame row by row or copies it each round.",
                    advice="Use whole-column operations or itertuples; collect parts and concat once.",
                )


def _is_slow(file: PythonFile, call: ast.Call) -> bool:
    name = name_of(call.func)
    if not isinstance(call.func, ast.Attribute):
        return False
    if name == "apply":
        axis = argument(call, None, "axis")
        return number(axis) == 1 or (isinstance(axis, ast.Constant) and axis.value == "columns")
    return name == "iterrows" or _grows(file, call)


def _grows(file: PythonFile, call: ast.Call) -> bool:
    """Whether a loop adds to a frame by making it anew: `frame = pd.concat([frame, part])`."""
    statement = file.parents.get(call)
    if not isinstance(statement, ast.Assign):
        return False
    targets = {name_of(target) for target in statement.targets}
    read = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
    return bool(targets & read) and any(isinstance(a, ast.For | ast.While) for a in file.ancestors(call))
