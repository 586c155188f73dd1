"""Every name means something, every argument of a module is a variable of it, and nothing is left unused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.checks.hcl.functions import NAMES
from infra.checks.hcl.modules import ModuleFiles
from infra.checks.hcl.sections import CALL_META
from infra.checks.hcl.syntax import (
    Block,
    Call,
    Expression,
    For,
    Index,
    Member,
    Name,
    Splat,
    children,
)
from infra.checks.problem import Problem

# A step of a reference: a member's name, or None for an index.
Steps = Sequence[str | None]
_ANYWHERE = {"path", "terraform", "each", "count", "self"}
# Their words are no references: types, names of arguments, addresses.
_NOT_READ = {("variable", "type"), ("lifecycle", "ignore_changes"), ("dynamic", "iterator")}
_NO_EXPRESSIONS = {"terraform", "moved", "removed", "import"}


def check_references(modules: dict[Path, ModuleFiles], schema: dict[str, Any]) -> Iterator[Problem]:
    """What the modules name that is not there, and what they declare that nothing names."""
    for module in modules.values():
        yield from _Module(module, modules, schema).problems()


class _Module:
    def __init__(self, module: ModuleFiles, modules: dict[Path, ModuleFiles], schema: dict[str, Any]) -> None:
        self._module, self._modules, self._schema = module, modules, schema
        self._used: set[tuple[str, str]] = set()

    def problems(self) -> Iterator[Problem]:
        for content in self._module.files:
            yield from self._in_block(content, frozenset())
        yield from self._declarations()
        for call in self._module.calls.values():
            yield from self._arguments(call)
        for name, block in self._module.variables.items():
            if ("var", name) not in self._used:
                yield Problem(block.where, f"var.{name} is not used")
        for name, (_, where) in self._module.local_values.items():
            if ("local", name) not in self._used:
                yield Problem(where, f"local.{name} is not used")

    def _declarations(self) -> Iterator[Problem]:
        for kind, named, needed in (
            ("variable", self._module.variables, ("type", "description")),
            ("output", self._module.outputs, ("value", "description")),
        ):
            for name, block in named.items():
                for argument in needed:
                    if argument not in block.attributes:
                        yield Problem(block.where, f"{kind} {name} has no {argument}")

    def _arguments(self, call: Block) -> Iterator[Problem]:
        callee = self._modules[self._module.called(call)]
        name = call.labels[0]
        for argument in set(call.attributes) - CALL_META - set(callee.variables):
            yield Problem(call.places[argument], f"module {name} has no variable {argument}")
        for variable, block in callee.variables.items():
            if "default" not in block.attributes and variable not in call.attributes:
                yield Problem(call.where, f"module {name} lacks its variable {variable}")

    def _in_block(self, block: Block, bound: frozenset[str]) -> Iterator[Problem]:
        if block.kind in _NO_EXPRESSIONS:
            return
        for name, expression in block.attributes.items():
            if (block.kind, name) not in _NOT_READ and name not in {"provider", "providers"}:
                yield from self._in_expression(expression, block.places[name], bound)
        for inner in block.blocks:
            names = bound
            if inner.kind == "dynamic" and inner.labels:
                names = bound | {getattr(inner.attributes.get("iterator"), "name", inner.labels[0])}
            yield from self._in_block(inner, names)

    def _in_expression(self, expression: Expression, where: str, bound: frozenset[str]) -> Iterator[Problem]:
        root, steps, inner = _chain(expression)
        if isinstance(root, Name) and root.name not in bound:
            yield from (Problem(where, message) for message in self._reference(root.name, steps))
        if isinstance(expression, Call) and expression.name not in NAMES:
            yield Problem(where, f"the checks do not know the function {expression.name}")
        if isinstance(expression, For):
            yield from self._in_expression(expression.source, where, bound)
            bound = bound | set(expression.names)
        for each in inner if isinstance(root, Name) else children(expression):
            yield from self._in_expression(each, where, bound)

    def _reference(self, root: str, steps: Steps) -> Iterator[str]:
        if root in _ANYWHERE:
            return
        if root in {"var", "local"}:
            declared = self._module.variables if root == "var" else self._module.local_values
            name = str(steps[0]) if steps else ""
            self._used.add((root, name))
            if name not in declared:
                yield f"there is no {root}.{name}"
        elif root == "module":
            yield from self._output(steps)
        elif root == "data":
            yield from self._attribute("data", str(steps[0]), steps[1:])
        elif any(kind == root for _, kind, _ in self._module.resources):
            yield from self._attribute("resource", root, steps)
        else:
            yield f"{'.'.join([root, *(step for step in steps if step)])} is not declared"

    def _output(self, steps: Steps) -> Iterator[str]:
        name, *rest = [step for step in steps if step is not None]
        call = self._module.calls.get(name)
        if call is None:
            yield f"there is no module {name}"
        elif rest and rest[0] not in self._modules[self._module.called(call)].outputs:
            yield f"module {name} has no output {rest[0]}"

    def _attribute(self, mode: str, kind: str, steps: Steps) -> Iterator[str]:
        name, *rest = [step for step in steps if step is not None] or [""]
        shown = f"{'data.' if mode == 'data' else ''}{kind}.{name}"
        if (mode, kind, name) not in self._module.resources:
            yield f"there is no {shown}"
            return
        table: Any = self._schema[mode].get(kind)
        for step in rest:
            if not isinstance(table, dict):
                return
            if step not in table:
                yield f"{shown} has no attribute {step}"
                return
            shown, table = f"{shown}.{step}", table[step]


def _chain(expression: Expression) -> tuple[Expression, list[str | None], list[Expression]]:
    """A reference's first word, its steps, and the expressions in its indexes."""
    if isinstance(expression, Member):
        root, steps, inner = _chain(expression.of)
        return root, [*steps, expression.name], inner
    if isinstance(expression, Index):
        root, steps, inner = _chain(expression.of)
        return root, [*steps, None], [*inner, expression.key]
    if isinstance(expression, Splat):
        root, steps, inner = _chain(expression.of)
        return root, [*steps, None, *expression.steps], inner
    return expression, [], []
