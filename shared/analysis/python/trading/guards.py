"""Whether a place in the code is reached only when live trading was asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import called, name_of
from shared.analysis.python.trading.orders import OrderCall, enclosing

_LIVE = re.compile(
    r"(?:^|_)(?:live|armed|real_money)(?:_|$)|(?:enable|allow|execute)d?_(?:real_)?(?:trading|trades|orders)"
    r"|trading_enabled|orders_enabled",
    re.IGNORECASE,
)
_NOT_LIVE = re.compile(
    r"(?:^|_)(?:dry|dry_?run|paper|simulat\w{0,8}|backtest\w{0,8}|replay|sandbox|testnet|demo|test_mode)(?:_|$)",
    re.IGNORECASE,
)
_LIVE_WORDS = ("live", "real", "production", "prod")
_NOT_LIVE_WORDS = (
    "paper",
    "dry",
    "dry_run",
    "dry-run",
    "simulation",
    "backtest",
    "replay",
    "demo",
    "testnet",
)
_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off")
_LEAVES = ast.Return | ast.Raise | ast.Continue | ast.Break
# More callers than a bot has; the rest of a hostile file is not worth the time.
_MOST_CALLERS = 200


class LiveGuards:
    """Answers for one bot; what it finds out about a function or class is kept."""

    def __init__(self, files: tuple[PythonFile, ...]) -> None:
        self._callers = _calls_by_name(files)
        self._aliases = {file.name: _live_names(file) for file in files}
        self._guarded: dict[str, bool] = {}

    def guards(self, call: OrderCall) -> bool:
        """Whether the call runs only in live trading: by a condition around or before it or its callers."""
        if self._guards_here(call):
            return True
        return any(self._guards_all(definition.name) for definition in enclosing(call.file, call.node))

    def _guards_all(self, name: str) -> bool:
        """Whether the function or class of that name is used, and only behind a guard."""
        if name not in self._guarded:
            # Recursion does not guard itself.
            self._guarded[name] = False
            outside = [
                call
                for call in self._callers.get(name, ())[:_MOST_CALLERS]
                if all(around.name != name for around in enclosing(call.file, call.node))
            ]
            self._guarded[name] = bool(outside) and all(self.guards(call) for call in outside)
        return self._guarded[name]

    def _guards_here(self, call: OrderCall) -> bool:
        aliases = self._aliases[call.file.name]
        child: ast.AST = call.node
        for around in call.file.ancestors(call.node):
            if _opens(around, child, aliases) or _stops_before(around, child, aliases):
                return True
            if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                return False
            child = around
        return False


def _calls_by_name(files: tuple[PythonFile, ...]) -> dict[str, list[OrderCall]]:
    found: dict[str, list[OrderCall]] = {}
    for file in files:
        for node in file.nodes:
            if isinstance(node, ast.Call):
                found.setdefault(called(node), []).append(OrderCall(file, node))
    return found


def _live_names(file: PythonFile) -> frozenset[str]:
    """Names that were given a value which means live trading: `armed = config["live_trading"] and ready`."""
    return frozenset(
        target.id
        for node in file.nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and _implies(node.value, True, frozenset())
    )


def _opens(around: ast.AST, child: ast.AST, aliases: frozenset[str]) -> bool:
    """Whether the condition of `around` lets only live trading through to the child."""
    match around:
        case ast.If(test=test, body=body) | ast.While(test=test, body=body):
            return child is not test and _implies(test, child in body, aliases)
        case ast.IfExp(test=test, body=chosen):
            return child is not test and _implies(test, child is chosen, aliases)
        case ast.BoolOp(op=op, values=values):
            before = values[: values.index(child)] if isinstance(child, ast.expr) else []
            return any(_implies(value, isinstance(op, ast.And), aliases) for value in before)
    return False


def _stops_before(around: ast.AST, child: ast.AST, aliases: frozenset[str]) -> bool:
    """Whether a statement before the child, in the same block, leaves unless trading is live."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(around, name, None)
        if isinstance(block, list) and child in block:
            return any(_leaves_unless_live(s, aliases) for s in block[: block.index(child)])
    return False


def _leaves_unless_live(statement: ast.stmt, aliases: frozenset[str]) -> bool:
    if isinstance(statement, ast.Assert):
        return _implies(statement.test, True, aliases)
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    last = statement.body[-1]
    exits = isinstance(last, ast.Expr) and called(last.value) in ("exit", "_exit", "quit")
    return (exits or isinstance(last, _LEAVES)) and _implies(statement.test, False, aliases)


def _implies(test: ast.expr, outcome: bool, aliases: frozenset[str]) -> bool:
    """Whether the test having this outcome means that trading is live."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _implies(operand, not outcome, aliases)
        case ast.BoolOp(op=op, values=values):
            parts = (_implies(value, outcome, aliases) for value in values)
            return any(parts) if isinstance(op, ast.And) is outcome else all(parts)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[ast.Constant(value=value)]):
            return _implies_equal(left, value, outcome, aliases)
        case ast.Compare(left=left, ops=[ast.NotEq() | ast.IsNot()], comparators=[ast.Constant(value=value)]):
            return _implies_equal(left, value, not outcome, aliases)
    return any(_speaks_of(word, outcome, aliases) for word in _words(test))


def _implies_equal(left: ast.expr, value: object, equal: bool, aliases: frozenset[str]) -> bool:
    """Whether `left == value`, or its opposite, means that trading is live."""
    if value is None or isinstance(value, bool):
        return _implies(left, equal is bool(value), aliases)
    word = str(value).lower()
    if word in (*_YES, *_NO):
        return _implies(left, equal is (word in _YES), aliases)
    return word in (_LIVE_WORDS if equal else _NOT_LIVE_WORDS)


def _speaks_of(word: str, live: bool, aliases: frozenset[str]) -> bool:
    return bool(_LIVE.search(word)) or word in aliases if live else bool(_NOT_LIVE.search(word))


def _words(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name | ast.Attribute):
            yield name_of(inner)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value[:80]
