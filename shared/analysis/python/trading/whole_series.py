"""Look-ahead by statistics of a whole series: `(x - x.mean()) / x.std()` and kin use every row's future."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import called, finding, name_of
from shared.analysis.report import Finding

_STATISTICS = (
    "mean",
    "std",
    "min",
    "max",
    "median",
    "nanmean",
    "nanstd",
    "amin",
    "amax",
    "average",
    "quantile",
)
_CENTRES = ("mean", "nanmean", "average", "median", "min", "amin")
_BOUNDED = re.compile(
    r"(?:^|_)(?:windows?|recent|tail|lookback|chunk|train|past|last|latest|sample|x|w|arr)(?:_|$)", re.I
)
_NARROWING = ("tail", "head", "rolling", "expanding", "ewm", "groupby", "transform", "apply", "agg")
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def whole_series(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each normalisation of a series by its own statistics over all of it."""
    for file in files:
        search = _Search(file)
        for node in file.nodes:
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and search.is_whole(node):
                yield finding(
                    file,
                    node,
                    rule="look-ahead-normalisation",
                    severity="medium",
                    message="Normalises a series by statistics of the whole of it, its future included.",
                    advice="Use rolling(n) or expanding() statistics, or fit them on a training part only.",
                )


class _Search:
    """Looks at the divisions of one file; what each scope assigns is read once."""

    def __init__(self, file: PythonFile) -> None:
        self._file = file
        self._assignments: dict[_Scope, dict[str, list[ast.expr]]] = {}
        self._texts: dict[ast.expr, str] = {}
        self._applied = _applied_functions(file)

    def is_whole(self, node: ast.BinOp) -> bool:
        """Whether `node` is (series - centre) / spread with both statistics of the whole series."""
        if not isinstance(node.left, ast.BinOp) or not isinstance(node.left.op, ast.Sub):
            return False
        scope = next(a for a in self._file.ancestors(node) if isinstance(a, _Scope))
        series = node.left.left
        centre = self._statistic(scope, node.left.right)
        if centre is None or centre[0] not in _CENTRES or centre[1] != self._text(series):
            return False
        spread = self._statistic(scope, _left_of(node.right))
        return spread is not None and spread[1] == centre[1] and not self._is_bounded(scope, series)

    def _statistic(self, scope: _Scope, node: ast.expr) -> tuple[str, str] | None:
        """(statistic, series as text) of `x.mean()`, `np.mean(x)` or a name that was given one of them."""
        if isinstance(node, ast.Name):
            value = self._assigned(scope, node.id)
            return None if value is None or isinstance(value, ast.Name) else self._statistic(scope, value)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return None
        if node.func.attr not in _STATISTICS:
            return None
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id in ("np", "numpy", "statistics"):
            return (node.func.attr, self._text(node.args[0])) if node.args else None
        return node.func.attr, self._text(owner)

    def _text(self, node: ast.expr) -> str:
        """The expression as text that is the same for equal expressions."""
        if node not in self._texts:
            self._texts[node] = ast.dump(node)
        return self._texts[node]

    def _assigned(self, scope: _Scope, name: str) -> ast.expr | None:
        """What the name is given in the scope, when that is one thing."""
        if scope not in self._assignments:
            self._assignments[scope] = _assignments(scope)
        values = self._assignments[scope].get(name, [])
        return values[0] if len(values) == 1 else None

    def _is_bounded(self, scope: _Scope, series: ast.expr) -> bool:
        """Whether the series is a window by its name, its making or the call that hands it over."""
        if isinstance(scope, ast.Lambda) or _BOUNDED.search(name_of(series)):
            return True
        if isinstance(scope, ast.FunctionDef) and scope.name in self._applied:
            return True
        value = self._assigned(scope, series.id) if isinstance(series, ast.Name) else series
        return value is not None and any(_narrows(node) for node in ast.walk(value))


def _left_of(node: ast.expr) -> ast.expr:
    """The first term of a sum or difference: `x.std()` of `x.std() + 1e-9`."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        node = node.left
    return node


def _assignments(scope: _Scope) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def _narrows(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return True
    return isinstance(node, ast.Attribute) and node.attr in _NARROWING


def _applied_functions(file: PythonFile) -> set[str]:
    """The functions that are handed to `.apply(...)`, which gives them one window at a time."""
    return {
        given.id
        for node in file.nodes
        if called(node) in ("apply", "agg", "transform") and isinstance(node, ast.Call)
        for given in node.args
        if isinstance(given, ast.Name)
    }
