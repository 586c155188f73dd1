"""What expressions are called, and which names stand for series of prices."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Category, Finding, Severity

_SERIES = re.compile(
    r"(?:^|_)(?:candles?|bars?|klines?|ohlcv|closes?|opens|highs?|lows?|prices?|volumes?|returns|ticks?|quotes"
    r"|df|frame|history|series|rates)(?:_|$)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:^|_)(?:y|target|targets|label|labels)(?:_|$)", re.IGNORECASE)


# Longer names are cut, so that no pattern has to search a name of 200 KB.
_MAX_NAME = 80
_LARGEST = 1e15


def name_of(node: ast.AST) -> str:
    """The last name of an expression (`a.b["c"]` gives `c`, `f(x)` gives `f`), empty when it has none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name[:_MAX_NAME]
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name[:_MAX_NAME]
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name[:_MAX_NAME]
        case ast.Call(func=inner) | ast.Subscript(value=inner) | ast.Await(value=inner):
            return name_of(inner)
    return ""


def called(node: ast.AST) -> str:
    """The name of the function that the node calls (`a.b(...)` gives `b`), empty when it is no such call."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        return name_of(node.func)
    return ""


def is_series(node: ast.AST) -> bool:
    """Whether an expression is, by its name, a series over time: `closes`, `df["close"]`, `x.iloc`."""
    match node:
        case ast.Attribute(attr="iloc" | "iat" | "loc" | "at" | "values" | "array", value=inner):
            return name_of(node) in ("iloc", "iat") or is_series(inner)
        case ast.Name() | ast.Attribute() | ast.Subscript(slice=ast.Constant(value=str())):
            return bool(_SERIES.search(name_of(node)))
    return False


def is_label(node: ast.AST) -> bool:
    """Whether the name is that of what a model learns to predict, which lies in the future by intent."""
    return bool(_LABEL.search(name_of(node)))


def number(node: ast.AST | None) -> float | None:
    """The value of a numeric literal with its sign, None for anything else."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = number(operand)
            return None if value is None else -value
        case ast.Constant(value=int() | float() as literal) if not isinstance(literal, bool):
            return float(literal) if abs(literal) < _LARGEST else None
    return None


def argument(call: ast.Call, place: int | None, name: str) -> ast.expr | None:
    """The argument given at that place or by that name, None when it is left out."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place is not None and len(call.args) > place else None


def learns(files: tuple[PythonFile, ...]) -> bool:
    """Whether the bot trains a model: somewhere it calls `.fit(...)`."""
    return any(called(node) in ("fit", "partial_fit") for file in files for node in file.nodes)


def calls(file: PythonFile, *names: str) -> Iterator[ast.Call]:
    """The calls of functions or methods of these names."""
    for node in file.nodes:
        if isinstance(node, ast.Call) and called(node) in names:
            yield node


def finding(
    file: PythonFile,
    node: ast.expr | ast.stmt | ast.excepthandler,
    *,
    rule: str,
    severity: Severity,
    message: str,
    advice: str,
    category: Category = "trading",
) -> Finding:
    """A finding at the place of the node."""
    return Finding(
        category=category,
        severity=severity,
        file=file.name,
        line=node.lineno,
        column=node.col_offset + 1,
        rule=rule,
        message=message,
        advice=advice,
    )
