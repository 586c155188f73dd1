"""Patches that a rule can make safely: one guard on the line at fault, where what to guard is certain.

What a rule cannot be sure of is left alone: several candidates on a line, code that cannot be read, a key
without a default, a function of which it is not known what it may return.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.model.offline.crash_trace import Trace

_CONFIG = re.compile(r"(?:^|_|\.)(?:config|configuration|cfg|settings|params|parameters|options)$")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A replacement of whole lines from `line` on, and why it is made."""

    line: int
    search: str
    replace: str
    why: str


def propose(text: str, line: int, trace: Trace, schema: str | None) -> Patch | None:
    """The patch for the error at that line of a Python file; None where no rule is sure."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return None
    at = _At(text, lines, line, [node for node in ast.walk(tree) if getattr(node, "lineno", 0) == line], tree)
    if trace.error in ("ZeroDivisionError", "DivisionByZero", "DivisionUndefined"):
        return _guard_division(at)
    if trace.error == "KeyError":
        return _default_key(at, trace.message, schema)
    return _guard_index(at) if trace.error == "IndexError" else None


@dataclass(frozen=True, slots=True)
class _At:
    """The line at fault in its file."""

    text: str
    lines: list[str]
    line: int
    nodes: list[ast.AST]
    tree: ast.Module

    def source(self, node: ast.AST) -> str | None:
        """The node's own text, when it stands on this line alone."""
        if getattr(node, "end_lineno", None) != self.line:
            return None
        return ast.get_source_segment(self.text, node)

    def replaced(self, node: ast.expr, new: str, why: str) -> Patch | None:
        """The patch that puts other text in the node's place."""
        old = self.lines[self.line - 1]
        # Columns are counted in bytes.
        raw = old.encode()
        assert node.end_col_offset is not None
        changed = (raw[: node.col_offset] + new.encode() + raw[node.end_col_offset :]).decode()
        return self._checked(old, changed, why)

    def before(self, guard: str, why: str) -> Patch | None:
        """The patch that puts lines before the statement of the line."""
        old = self.lines[self.line - 1]
        return self._checked(old, f"{guard}\n{old}", why)

    def _checked(self, old: str, new: str, why: str) -> Patch | None:
        whole = [*self.lines[: self.line - 1], new, *self.lines[self.line :]]
        try:
            ast.parse("\n".join(whole))
        except SyntaxError:
            return None
        return Patch(line=self.line, search=old, replace=new, why=why)


def _guard_division(at: _At) -> Patch | None:
    divisions = [
        node
        for node in at.nodes
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod)
    ]
    if len(divisions) != 1 or not _is_plain(divisions[0].right):
        return None
    whole, divisor = at.source(divisions[0]), at.source(divisions[0].right)
    if whole is None or divisor is None:
        return None
    why = (
        f"`{divisor}` can be 0: the value is 0 then, instead of a crash. Check that 0 is right "
        f"for what follows."
    )
    return at.replaced(divisions[0], f"({whole} if {divisor} else 0)", why)


def _default_key(at: _At, message: str, schema: str | None) -> Patch | None:
    key = message.strip().strip("'\"")
    found = [
        node
        for node in at.nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == key
    ]
    if len(found) != 1:
        return None
    owner = at.source(found[0].value)
    if owner is None or not _is_plain(found[0].value) or not _CONFIG.search(owner.lower()):
        return None
    has_default, default = _default(schema, key)
    if not has_default:
        return None
    why = (
        f"The configuration has no `{key}`: bot-schema.json gives it the default {default!r}, "
        f"which is taken now."
    )
    return at.replaced(found[0], f"{owner}.get({key!r}, {default!r})", why)


def _guard_index(at: _At) -> Patch | None:
    found = [
        (node, index)
        for node in at.nodes
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and (index := _constant_index(node.slice)) is not None
    ]
    owners = {at.source(node.value) for node, _ in found}
    if len(owners) != 1 or None in owners or not _is_plain(found[0][0].value):
        return None
    [owner] = owners
    needed = max(-index if index < 0 else index + 1 for _, index in found)
    statement = next((node for node in at.nodes if isinstance(node, ast.stmt)), None)
    function = _function_of(at.tree, at.line)
    if statement is None or function is None or not _may_return_none(function):
        return None
    indent = at.lines[at.line - 1][: statement.col_offset]
    if indent.strip() or isinstance(statement, ast.While):
        return None
    if at.lines[at.line - 1].lstrip().startswith("elif"):
        return None
    condition = f"not {owner}" if needed == 1 else f"len({owner}) < {needed}"
    why = (
        f"`{owner}` can hold fewer than {needed}: the function ends without a value then, as it may already."
    )
    return at.before(f"{indent}if {condition}:\n{indent}    return None", why)


def _is_plain(node: ast.expr) -> bool:
    """A name, an attribute of one or the length of one: to read it twice changes nothing."""
    if isinstance(node, ast.Call):
        is_length = isinstance(node.func, ast.Name) and node.func.id == "len" and not node.keywords
        return is_length and len(node.args) == 1 and _is_plain(node.args[0])
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _constant_index(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1000 else None


def _function_of(tree: ast.Module, line: int) -> _Function | None:
    inside = [
        node
        for node in ast.walk(tree)
        if isinstance(node, _Function) and node.lineno < line <= (node.end_lineno or 0)
    ]
    return max(inside, key=lambda node: node.lineno, default=None)


def _may_return_none(function: _Function) -> bool:
    """Whether the function returns None somewhere, or says that it may, so that its callers know."""
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function)):
        return False
    if function.returns is not None:
        return "None" in ast.unparse(function.returns) or "Optional" in ast.unparse(function.returns)
    returns = list(_returns(function))
    return any(_is_none(node) for node in returns)


def _returns(function: _Function) -> Iterator[ast.Return]:
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            yield node
        if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
            pending.extend(ast.iter_child_nodes(node))


def _is_none(node: ast.Return) -> bool:
    return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)


def _default(schema: str | None, key: str) -> tuple[bool, Any]:
    """Whether the schema gives the key a default, and it."""
    try:
        loaded = json.loads(schema or "")
    except (ValueError, RecursionError):
        return False, None
    properties = loaded.get("properties") if isinstance(loaded, dict) else None
    found = properties.get(key) if isinstance(properties, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("default"), str | int | float | bool):
        return False, None
    return True, found["default"]
