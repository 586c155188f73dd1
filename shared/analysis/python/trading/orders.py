"""Where a bot places orders, and who calls whom around that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import called

_ORDER = re.compile(
    r"^(?:create|place|submit|send|new|futures_create|post)_?(?:\w+_)?orders?(?:_ws)?$"
    r"|^create_(?:market|limit|stop|trailing|reduce_only|post_only)\w*order\w*$"
    r"|^create(?:Market|Limit|Stop|Trailing)?(?:Buy|Sell)?Orders?(?:Ws)?$"
    r"|^order_(?:market|limit)(?:_buy|_sell)?$|^(?:market|limit)_(?:buy|sell|order)$|^edit_?order$|^market_open$",
)
_NO_ORDER = re.compile(
    r"test_order|order_?book|order_?id|paper|simulat|fake|dry|report|event|summary", re.IGNORECASE
)
# More places than a bot has; what a hostile file has beyond them changes no verdict.
_MOST_CALLS = 200
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class OrderCall:
    """A call that places an order, and the file it stands in."""

    file: PythonFile
    node: ast.Call


def order_calls(files: tuple[PythonFile, ...]) -> list[OrderCall]:
    """The calls that reach an exchange.

    A call of a function that the bot defines itself is left out, for the call inside that function counts.
    """
    own = _own_functions(files)
    found = (
        OrderCall(file, node)
        for file in files
        for node in file.nodes
        if isinstance(node, ast.Call) and _places(node) and not _is_own(file, node, own)
    )
    return list(islice(found, _MOST_CALLS))


def enclosing(file: PythonFile, node: ast.AST) -> Iterator[_Definition]:
    """The functions and classes around the node, from the inside out."""
    return (a for a in file.ancestors(node) if isinstance(a, _Definition))


def _places(node: ast.Call) -> bool:
    name = called(node)
    return bool(_ORDER.match(name)) and not _NO_ORDER.search(name) and bool(node.args or node.keywords)


def _own_functions(files: tuple[PythonFile, ...]) -> set[str]:
    """The functions with a body; an interface declares only names."""
    return {
        node.name
        for file in files
        for node in file.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_declaration(node)
    }


def _is_declaration(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = node.body
    return all(
        isinstance(statement, ast.Pass | ast.Raise)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in body
    )


def _is_own(file: PythonFile, node: ast.Call, own: set[str]) -> bool:
    name = called(node)
    return name in own and all(around.name != name for around in enclosing(file, node))
