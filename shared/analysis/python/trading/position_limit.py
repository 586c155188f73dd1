"""Orders in a bot that nowhere reads a limit on the size of its positions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import called, finding, name_of
from shared.analysis.python.trading.orders import order_calls
from shared.analysis.report import Finding

_SIZE = (
    r"(?:position|size|exposure|notional|order|qty|quantity|amount|inventory|trades?|leverage|capital|risk)"
)
_LIMIT = r"(?:max|maximum|limit|cap|capped|allowed)"
_LIMITED = re.compile(
    rf"(?:^|_){_LIMIT}_(?:\w{{1,30}}_)?{_SIZE}(?:s|_|$)|(?:^|_){_SIZE}_(?:\w{{1,30}}_)?{_LIMIT}(?:s|ed|_|$)"
    r"|(?:^|_)(?:risk|position|order|trade|stake)_(?:size|(?:size_)?(?:per_trade|pct|percent|percentage|fraction))"
    r"(?:_|$)|(?:^|_)(?:position_siz(?:ing|er)|size_position|risk_manager|risk_limits?|risk_per_trade)(?:_|$)",
    re.IGNORECASE,
)
_POSITION = re.compile(r"(?:^|_)(?:positions?|inventory|holdings?|in_market|exposure)(?:_|$)", re.IGNORECASE)


def position_limit(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """One finding, at the first order, when no file of the bot reads a limit of position, size or risk."""
    orders = order_calls(files)
    if orders and not any(_reads_limit(file) for file in files):
        yield finding(
            orders[0].file,
            orders[0].node,
            rule="no-position-limit",
            severity="medium",
            message=f"{called(orders[0].node)} is called, and nothing limits the position's size.",
            advice="Check the size against a limit such as max_position before each order.",
        )


def _reads_limit(file: PythonFile) -> bool:
    return any(_limits(node) for node in file.nodes)


def _limits(node: ast.AST) -> bool:
    """Whether the node reads a limit or a size per trade, or asks what is held; storing limits nothing."""
    if isinstance(node, ast.If | ast.IfExp):
        return any(_POSITION.search(word) for inner in ast.walk(node.test) for word in _read(inner))
    return any(_LIMITED.search(word) for word in _read(node))


def _read(node: ast.AST) -> Iterator[str]:
    """The name that the node reads, in snake case."""
    if isinstance(node, ast.Call) or (
        isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load)
    ):
        yield re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name_of(node))
