"""A loop without end that never waits: it burns a core and the exchange's rate limit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.python.trading.names import called, finding
from shared.analysis.report import Finding

_WAITS = re.compile(
    r"sleep|wait|join|poll|select|recv|accept|input|readline|read|next|get_message|run_forever|watch|listen|throttle"
    r"|pause|delay|tick$",
    re.IGNORECASE,
)
_QUEUE_READS = ("get", "take", "pop_blocking")
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def busy_loop(files: tuple[PythonFile, ...]) -> Iterator[Finding]:
    """A finding for each `while True` with no wait, await, break, return, raise or yield of its own."""
    for file in files:
        for node in file.nodes:
            if not isinstance(node, ast.While) or not _is_endless(node):
                continue
            if not any(_pauses(inner) for inner in _own(node)):
                yield finding(
                    file,
                    node,
                    rule="busy-loop",
                    severity="high",
                    message="An endless loop that neither waits nor ends.",
                    advice="Sleep between rounds and end on a stop signal, or let the platform schedule it.",
                )


def _is_endless(loop: ast.While) -> bool:
    return isinstance(loop.test, ast.Constant) and bool(loop.test.value)


def _own(loop: ast.While) -> Iterator[ast.AST]:
    """The nodes that run as part of the loop; a break of an inner loop is not its own."""
    waiting: list[tuple[ast.AST, bool]] = [(statement, False) for statement in loop.body]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, _Function):
            continue
        if not (inside and isinstance(node, ast.Break)):
            yield node
        inner = inside or isinstance(node, ast.While | ast.For | ast.AsyncFor)
        waiting.extend((child, inner) for child in ast.iter_child_nodes(node))


def _pauses(node: ast.AST) -> bool:
    if isinstance(node, ast.Await | ast.Break | ast.Return | ast.Raise | ast.Yield | ast.YieldFrom):
        return True
    if isinstance(node, ast.AsyncFor | ast.AsyncWith):
        return True
    name = called(node)
    if name in ("exit", "_exit", "quit"):
        return True
    if name in _QUEUE_READS and isinstance(node, ast.Call):
        # A queue's `get()` blocks, a mapping's `get(key)` does not.
        return not node.args
    return bool(_WAITS.search(name))
