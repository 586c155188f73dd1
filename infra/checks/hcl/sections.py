"""A block's contents with values: repeated by `count` and `for_each`, blocks written out from `dynamic`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from infra.checks.hcl.evaluate import EvaluationError, Scope
from infra.checks.hcl.functions import CallError
from infra.checks.hcl.syntax import Block, Expression, Literal
from infra.checks.hcl.values import Section, Unknown, Value, has_unknown
from infra.checks.problem import Problem

# What Terraform reads itself: of a resource, and of a module that is called.
META = frozenset({"count", "for_each", "provider", "depends_on"})
CALL_META = META | {"source", "version", "providers"}
_KINDS: dict[str, tuple[type, ...]] = {"count": (int,), "for_each": (list, dict)}


class Reader:
    """Evaluates, and keeps what cannot be evaluated as problems."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def wrong(self, where: str, message: str) -> None:
        """Keeps a problem, once."""
        found = Problem(where, message)
        if found not in self._problems:
            self._problems.append(found)

    def value(self, expression: Expression, where: str, scope: Scope) -> Value:
        """An expression's value; unknown, with a problem, where it has none."""
        try:
            return scope.evaluate(expression)
        except (EvaluationError, CallError) as error:
            self.wrong(where, str(error))
            return Unknown("${?}")

    def rules(self, blocks: list[Block], scope: Scope, name: str = "") -> None:
        """Tells what does not hold of some validations or conditions."""
        for rule in blocks:
            if self.value(rule.attributes["condition"], rule.where, scope) is False:
                told = self.value(rule.attributes["error_message"], rule.where, scope)
                self.wrong(rule.where, f"{name}{told}")

    def repeated(
        self, block: Block, address: str, scope: Scope, make: Callable[[str, Scope], Value]
    ) -> Value:
        """What a block makes: one, a list by its `count`, or an object by its `for_each`."""
        argument = next((each for each in _KINDS if each in block.attributes), None)
        if argument is None:
            return make(address, scope)
        value = self._repeats(block.attributes[argument], block.places[argument], argument, scope)
        if value is None or not self._are_known(value, block.places[argument]):
            return Unknown(f"${{{address}}}")
        if isinstance(value, int):
            return [
                make(f"{address}[{index}]", scope.binding(count={"index": index})) for index in range(value)
            ]
        return {
            str(key): make(f'{address}["{key}"]', scope.binding(each={"key": key, "value": each}))
            for key, each in _pairs(value)
        }

    def section(self, block: Block, address: str, scope: Scope) -> Section:
        """What is set in a block; what is null is not."""
        values: dict[str, Value] = {}
        for name, expression in block.attributes.items():
            if name not in META:
                value = self.value(expression, block.places[name], scope)
                if value is not None:
                    values[name] = value
        for kind, inner, at in self._blocks(block, scope):
            listed: list[Section] = values.setdefault(kind, [])
            listed.append(self.section(inner, f"{address}.{kind}[{len(listed)}]", at))
        for rules in block.of_kind("lifecycle"):
            self.rules(rules.of_kind("precondition"), scope)
            literals = {
                name: each.value for name, each in rules.attributes.items() if isinstance(each, Literal)
            }
            values["lifecycle"] = [Section(f"{address}.lifecycle", literals)]
        return Section(address, values)

    def _blocks(self, block: Block, scope: Scope) -> Iterator[tuple[str, Block, Scope]]:
        for inner in block.blocks:
            if inner.kind == "dynamic":
                yield from self._written_out(inner, scope)
            elif inner.kind != "lifecycle":
                yield inner.kind, inner, scope

    def _written_out(self, block: Block, scope: Scope) -> Iterator[tuple[str, Block, Scope]]:
        value = self._repeats(block.attributes["for_each"], block.where, "for_each", scope)
        if value is None:
            return
        iterator = getattr(block.attributes.get("iterator"), "name", block.labels[0])
        pairs = enumerate(value) if isinstance(value, list) else _pairs(value)
        for key, each in pairs:
            for content in block.of_kind("content"):
                yield block.labels[0], content, scope.binding(**{iterator: {"key": key, "value": each}})

    def _are_known(self, keys: Value, where: str) -> bool:
        """Whether instances can be named; a block's values may come later, a resource's keys not."""
        unknown = has_unknown(list(keys)) if isinstance(keys, list | dict) else False
        if unknown:
            self.wrong(where, f"for_each names instances by what is not known yet: {list(keys)!r}")
        return not unknown

    def _repeats(self, expression: Expression, where: str, argument: str, scope: Scope) -> Value:
        value = self.value(expression, where, scope)
        if isinstance(value, Unknown) or not isinstance(value, _KINDS[argument]):
            self.wrong(where, f"{argument} has to be known before anything is made, and is {value!r}")
            return None
        return value


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    return list(value.items()) if isinstance(value, dict) else [(each, each) for each in value]
