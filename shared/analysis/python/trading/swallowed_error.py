"""Errors of orders that are caught and dropped, so that the bot no longer knows what it holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import finding, name_of
from shared.analysis.python.trading.orders import order_calls
from shared.analysis.report import Finding


def swallowed_error(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each handler around an order that catches everything and does nothing about it."""
    seen: set[ast.ExceptHandler] = set()
    for call in order_calls(files):
        child: ast.AST = call.node
        for around in call.file.ancestors(call.node):
            if isinstance(around, ast.Try | ast.TryStar) and child in around.body:
                for handler in around.handlers:
                    if handler not in seen and _swallows(handler):
                        seen.add(handler)
                        yield _finding(call.file, handler)
            child = around


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Bare and without raise, or of Exception with a body that only goes on."""
    nodes = [node for statement in handler.body for node in ast.walk(statement)]
    if any(isinstance(node, ast.Raise) for node in nodes):
        return False
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if not any(name_of(kind) in ("Exception", "BaseException") for kind in caught):
        return False
    return not any(isinstance(node, ast.Call | ast.Assign | ast.AugAssign | ast.AnnAssign) for node in nodes)


def _finding(file: PythonFile, handler: ast.ExceptHandler) -> Finding:
    return finding(
        file,
        handler,
        rule="swallowed-order-error",
        severity="high",
        message="An error while placing an order is caught and dropped.",
        advice="Catch the exchange's own errors, log them, and read the open orders again before going on.",
    )
