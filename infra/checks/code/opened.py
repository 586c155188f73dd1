"""Which parts of `shared.resources.Resources` each function opens, read from the syntax of its files.

A function's files are its source and what that imports of its own package. The part that they name
(`resources().engine()`) opens others (`self.store()` in it), and those others again. What a health check or
the warming of an instance opens does not count: it does nothing with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.checks.repository import REPOSITORY
from infra.local.gateway import TARGETS
from shared.resources import Resources

# What a target's container may run beside the function (websocket.tf).
_BESIDE = {"chat": ("functions.chat.serve",)}
# The warming and the checks are of every function that has them, whatever it is for.
_NOT_USE = {"health", "ask_sandbox", "warm_soon", "close"}
_METHODS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def opened(target: str, *, tools_apart: bool = False) -> frozenset[str]:
    """The parts that a target opens; with `tools_apart` turns call the tools function (`TOOLS_URL`)."""
    parts = _parts()
    if tools_apart:
        parts = {**parts, "turn_tools": frozenset()}
    found: set[str] = set()
    waiting = [name for module in modules(target) for name in _named(_path(module))]
    while waiting:
        name = waiting.pop()
        if name not in found and name in parts and name not in _NOT_USE:
            found.add(name)
            waiting.extend(parts[name])
    return frozenset(found)


@cache
def modules(target: str) -> frozenset[str]:
    """A target's own modules: its source and what that imports of its package, constants aside."""
    source = TARGETS[target].removesuffix(".py").replace("/", ".")
    package = source.rpartition(".")[0]
    found: set[str] = set()
    waiting = [source, *_BESIDE.get(target, ())]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(each for each in imported(module) if each.startswith(f"{package}."))
    return frozenset(found)


@cache
def imported(module: str) -> frozenset[str]:
    """The modules that one takes code from; who imports constants alone runs nothing of it."""
    found: set[str] = set()
    for node in ast.walk(_tree(_path(module))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if _path(inner).is_file():
                    found.add(inner)
                elif not alias.name.isupper() or alias.name == "ROUTES":
                    found.add(node.module)
    return frozenset(each for each in found if _path(each).is_file())


@cache
def reaches(target: str, module: str) -> bool:
    """Whether a target's own modules import a module of `shared`, or one that imports it."""
    line = f"from {module} import "
    return any(
        module == each or line in _path(each).read_text(encoding="utf-8")
        for own in modules(target)
        for each in imported(own)
        if each != "shared.resources"
    )


@cache
def calls(target: str, method: str) -> bool:
    """Whether a target's own modules call a method of this name, whosever it is."""
    return any(
        isinstance(node, ast.Attribute) and node.attr == method
        for module in modules(target)
        for node in ast.walk(_tree(_path(module)))
    )


def _named(path: Path) -> Iterator[str]:
    """The parts that a file names: `resources().X`, or `resources.X` of one that is its own."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute):
            of = node.value.func if isinstance(node.value, ast.Call) else node.value
            if isinstance(of, ast.Name) and of.id == "resources":
                yield node.attr


def _parts() -> dict[str, frozenset[str]]:
    """Method of Resources -> what it names of `self`; its parts are in several files, a class each."""
    found: dict[str, frozenset[str]] = {}
    for owner in reversed(Resources.__mro__):
        for node in (
            ast.walk(_tree(_path(owner.__module__))) if owner.__module__.startswith("shared.") else ()
        ):
            if isinstance(node, ast.ClassDef) and node.name == owner.__name__:
                found.update((each.name, _of_self(each)) for each in node.body if isinstance(each, _METHODS))
    return found


def _of_self(method: ast.AST) -> frozenset[str]:
    return frozenset(
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    )


def _path(module: str) -> Path:
    path = REPOSITORY.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
