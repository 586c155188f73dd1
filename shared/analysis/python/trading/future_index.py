"""Look-ahead by index: `candles[i + 1]` in a loop over `i` that decides or records something.

Differences of neighbours (`closes[i + 1] - closes[i]`), fills at the next open and stores are no look-ahead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import finding, is_series, name_of, number
from shared.analysis.report import Finding

_DECISION = re.compile(
    r"(?:^|_)(?:buy|sell|signals?|orders?|positions?|entry|entries|exit|long|short|trades?)(?:_|$)", re.I
)
_FILL = {"open", "opens", "Open", "time", "times", "timestamp", "timestamps"}
_Loop = ast.For | ast.AsyncFor | ast.comprehension


def future_index(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each read of a series at the loop's index plus a positive number."""
    for file in files:
        search = _Search(file)
        for node in file.nodes:
            if isinstance(node, ast.Subscript) and search.is_ahead(node):
                yield finding(
                    file,
                    node,
                    rule="look-ahead-index",
                    severity="high",
                    message="Reads a later element of the series than the one the loop is at.",
                    advice="Decide on elements up to the loop's own; use the next one only to fill an order.",
                )


class _Search:
    """Looks at the subscripts of one file; what its loops decide and its names are used for is read once."""

    def __init__(self, file: PythonFile) -> None:
        self._file = file
        self._decides: dict[_Loop, bool] = {}
        self._names: dict[str, bool] = {}
        self._uses: dict[str, list[ast.Name]] = {}
        for node in file.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._uses.setdefault(node.id, []).append(node)

    def is_ahead(self, node: ast.Subscript) -> bool:
        """Whether the node reads a later element than its loop is at, and not to fill an order."""
        if not isinstance(node.ctx, ast.Load) or not is_series(node.value):
            return False
        index = _advanced(node.slice)
        loop = _loop_over(self._file, node, index) if index else None
        if loop is None or self._is_fill(node):
            return False
        return not (_is_difference(self._file, node, index) and not self._is_deciding(loop))

    def _is_fill(self, node: ast.Subscript) -> bool:
        """Whether only the open or the time of the next candle is used, as to fill an order."""
        parent = self._file.parents.get(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            return self._fills(name_of(parent.targets[0]))
        return _takes_open(parent) or bool(_FILL & _words(node.value))

    def _fills(self, name: str) -> bool:
        """Whether every use of the name takes the open or the time of what it names."""
        if name not in self._names:
            uses = self._uses.get(name, [])
            self._names[name] = bool(uses) and all(_takes_open(self._file.parents.get(use)) for use in uses)
        return self._names[name]

    def _is_deciding(self, loop: _Loop) -> bool:
        if loop not in self._decides:
            body: list[ast.stmt] = loop.body if isinstance(loop, ast.For | ast.AsyncFor) else []
            words = (word for statement in body for word in _words(statement))
            self._decides[loop] = any(_DECISION.search(word) for word in words)
        return self._decides[loop]


def _advanced(index: ast.expr) -> str:
    """`i` of `i + 1`; also in the rows of a frame's `i + 1, column`."""
    if isinstance(index, ast.Tuple) and index.elts:
        index = index.elts[0]
    match index:
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=step) if (number(step) or 0) > 0:
            return name
        case ast.BinOp(left=step, op=ast.Add(), right=ast.Name(id=name)) if (number(step) or 0) > 0:
            return name
    return ""


def _loop_over(file: PythonFile, node: ast.AST, index: str) -> _Loop | None:
    """The loop around the node whose own variable is the index."""
    for around in file.ancestors(node):
        loops: list[_Loop] = [around] if isinstance(around, ast.For | ast.AsyncFor) else []
        if isinstance(around, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            loops = list(around.generators)
        for loop in loops:
            if index in _counters(loop):
                return loop
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return None
    return None


def _counters(loop: _Loop) -> set[str]:
    """The variables that count the loop's steps: those of `range` and the first of `enumerate`."""
    match loop.iter, loop.target:
        case ast.Call(func=ast.Name(id="range")), ast.Name(id=name):
            return {name}
        case ast.Call(func=ast.Name(id="enumerate")), ast.Tuple(elts=[ast.Name(id=name), _]):
            return {name}
    return set()


def _takes_open(node: ast.AST | None) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in _FILL
        case ast.Subscript(slice=ast.Constant(value=key)):
            # A candle of ccxt is a list: time, open, high, low, close, volume.
            return key in _FILL or key in (0, 1)
    return False


def _words(node: ast.AST) -> set[str]:
    return {name_of(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)}


def _is_difference(file: PythonFile, node: ast.Subscript, index: str) -> bool:
    """Whether the node is one side of arithmetic on neighbours: `closes[i + 1] - closes[i]`."""
    parent = file.parents.get(node)
    while isinstance(parent, ast.Attribute | ast.Subscript) or (
        isinstance(parent, ast.Call) and len(parent.args) == 1
    ):
        parent = file.parents.get(parent)
    if not (isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub | ast.Div)):
        return False
    return any(
        isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Name) and inner.slice.id == index
        for inner in ast.walk(parent)
    )
