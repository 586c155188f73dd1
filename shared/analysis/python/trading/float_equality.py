"""Equality of prices held as floats: two computed prices are hardly ever equal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import finding, name_of
from shared.analysis.report import Finding

_PRICE = re.compile(
    r"(?:^|_)(?:price|close|bid|ask|vwap|high|low|sma|ema|rsi|macd|stop_loss|take_profit|midpoint)$", re.I
)


def float_equality(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each `==` or `!=` of two prices, or of a price and a fraction; Decimal is exact."""
    for file in files:
        if _uses_decimal(file):
            continue
        for node in file.nodes:
            if isinstance(node, ast.Compare) and _is_fragile(node):
                yield finding(
                    file,
                    node,
                    rule="float-equality",
                    severity="low",
                    message="Compares prices for equality as floats.",
                    advice="Compare with a tolerance (math.isclose) or hold prices as Decimal.",
                )


def _uses_decimal(file: PythonFile) -> bool:
    return any(
        isinstance(node, ast.ImportFrom | ast.Import) and any("ecimal" in alias.name for alias in node.names)
        for node in file.nodes
    )


def _is_fragile(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
        if isinstance(operator, ast.Eq | ast.NotEq) and _is_priced(left, right):
            return True
    return False


def _is_priced(left: ast.expr, right: ast.expr) -> bool:
    prices = sum(1 for side in (left, right) if _is_price(side))
    return prices == 2 or (prices == 1 and any(map(_is_fraction, (left, right))))


def _is_price(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_price(node.left) or _is_price(node.right)
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and bool(_PRICE.search(name_of(node)))


def _is_fraction(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and not node.value.is_integer()
