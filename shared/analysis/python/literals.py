"""Credentials written as literals into Python code, found by the name they are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from shared.analysis.python.parsing import PythonFile
from shared.analysis.report import Finding
from shared.analysis.secret_shapes import is_secret_name, looks_secret
from shared.analysis.secrets import secret


def check_literals(file: PythonFile) -> Iterator[Finding]:
    """A finding for each random-looking literal that is bound to the name of a credential."""
    for node in file.nodes:
        for name, value in _named(node):
            text = _text(value)
            if text is not None and is_secret_name(name) and looks_secret(name, text):
                yield secret(file.name, value.lineno, value.col_offset + 1, f"the value of {name[:40]}")


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Each (name, expression) that the node binds together."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((name, value) for target in targets if (name := _name(target)))
        case ast.AnnAssign(target=target, value=ast.expr() as value) if name := _name(target):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.keyword(arg=str() as name, value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            yield from ((k, v) for key, v in zip(keys, values, strict=True) if key and (k := _text(key)))
        case ast.arguments():
            yield from _defaults(node)
        case ast.Call(func=ast.Attribute(attr="get" | "getenv" | "setdefault"), args=[key, fallback]):
            if name := _text(key):
                yield name, fallback
        case _:
            return


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = arguments.defaults
    yield from (
        (a.arg, d) for a, d in zip(positional[len(positional) - len(defaults) :], defaults, strict=True)
    )
    yield from ((a.arg, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d)


def _name(target: ast.expr) -> str | None:
    match target:
        case (
            ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name)))
        ):
            return name
    return None


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        return node.value.decode("latin-1")
    return None
