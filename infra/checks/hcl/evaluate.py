"""The value of an expression, as far as it is known before anything is made."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from infra.checks.hcl.functions import CallError, call
from infra.checks.hcl.syntax import (
    Call,
    Conditional,
    Expression,
    For,
    Index,
    ListOf,
    Literal,
    Member,
    Name,
    ObjectOf,
    Operation,
    Splat,
    Template,
)
from infra.checks.hcl.values import Section, Unknown, Value, joined, path_of, text_of


class EvaluationError(Exception):
    """An expression has no value: what it names is not there, or a function refuses."""


class Names(Protocol):
    """What the first words of references mean."""

    def value(self, name: str) -> Value:
        """A value that has members; raises EvaluationError for a name that means nothing."""

    def read(self, function: str, arguments: list[Value]) -> Value:
        """What a function that reads files answers."""


class Scope:
    """Names, with those that `for`, `each` and `dynamic` bind before them."""

    def __init__(self, names: Names, bound: Mapping[str, Value] | None = None) -> None:
        self._names = names
        self._bound = dict(bound or {})

    def binding(self, **bound: Value) -> Scope:
        """The same with more names bound."""
        return Scope(self._names, {**self._bound, **bound})

    def evaluate(self, expression: Expression) -> Value:
        """The value of an expression.

        Raises:
            EvaluationError: it has none.
        """
        return _EVALUATORS[type(expression)](self, expression)

    def name(self, name: str) -> Value:
        """What a first word means."""
        return self._bound[name] if name in self._bound else self._names.value(name)

    def read(self, function: str, arguments: list[Value]) -> Value:
        """What a function that reads files answers."""
        return self._names.read(function, arguments)


def member(of: Value, name: str) -> Value:
    """`of.name`."""
    if isinstance(of, Unknown):
        return Unknown(f"${{{path_of(of)}.{name}}}")
    if isinstance(of, Section):
        return of.member(name)
    if isinstance(of, dict) and name in of:
        return of[name]
    found = getattr(of, "member", None)
    if found is not None:
        return found(name)
    raise EvaluationError(f"there is no {name} in {_kind(of)}")


def _index(scope: Scope, expression: Index) -> Value:
    of, key = scope.evaluate(expression.of), scope.evaluate(expression.key)
    if isinstance(of, Unknown):
        shown = str(key) if isinstance(key, int) else f'"{key}"'
        return Unknown(f"${{{path_of(of)}[{shown}]}}")
    try:
        return of[key]
    except (KeyError, IndexError, TypeError):
        if isinstance(of, list) and key == 0 and not of:
            raise EvaluationError("there is nothing at [0]: the list is empty") from None
        raise EvaluationError(f"there is no [{key!r}] in {_kind(of)}") from None


def _splat(scope: Scope, expression: Splat) -> Value:
    of = scope.evaluate(expression.of)
    items = of if isinstance(of, list) else [] if of is None else [of]
    for step in expression.steps:
        items = [member(item, step) for item in items]
    return items


def _call(scope: Scope, expression: Call) -> Value:
    if expression.name in {"try", "can"}:
        return _try(scope, expression)
    arguments = [scope.evaluate(argument) for argument in expression.arguments]
    if expression.spread:
        arguments = [*arguments[:-1], *arguments[-1]]
    try:
        if expression.name.startswith("file") or expression.name == "templatefile":
            return scope.read(expression.name, arguments)
        return call(expression.name, arguments)
    except CallError as error:
        raise EvaluationError(str(error)) from error


def _try(scope: Scope, expression: Call) -> Value:
    for argument in expression.arguments:
        try:
            value = scope.evaluate(argument)
        except EvaluationError:
            continue
        return value if expression.name == "try" else True
    if expression.name == "can":
        return False
    raise EvaluationError("try: nothing has a value")


def _for(scope: Scope, expression: For) -> Value:
    listed: list[Value] = []
    keyed: dict[str, Value] = {}
    for inner in _rounds(scope, expression):
        value = inner.evaluate(expression.value)
        if expression.key is None:
            listed.append(value)
            continue
        key = text_of(inner.evaluate(expression.key))
        if expression.grouped:
            keyed.setdefault(key, []).append(value)
        elif key in keyed:
            raise EvaluationError(f"two values for the key {key}")
        else:
            keyed[key] = value
    return listed if expression.key is None else keyed


def _rounds(scope: Scope, expression: For) -> Iterator[Scope]:
    source = scope.evaluate(expression.source)
    if isinstance(source, Unknown) or not isinstance(source, list | dict):
        raise EvaluationError(f"for goes over {_kind(source)}")
    pairs = source.items() if isinstance(source, dict) else enumerate(source)
    for key, value in pairs:
        bound = dict(
            zip(expression.names, (key, value) if len(expression.names) == 2 else (value,), strict=True)
        )
        inner = scope.binding(**bound)
        if expression.condition is None or inner.evaluate(expression.condition) is True:
            yield inner


def _conditional(scope: Scope, expression: Conditional) -> Value:
    condition = scope.evaluate(expression.condition)
    if isinstance(condition, Unknown):
        return Unknown(f"${{{path_of(condition)} ? ...}}")
    return scope.evaluate(expression.then if condition in (True, "true") else expression.otherwise)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def _operation(scope: Scope, expression: Operation) -> Value:
    right_of, sign = expression.right, expression.operator
    if expression.left is None:
        value = scope.evaluate(right_of)
        if isinstance(value, Unknown):
            return value
        return not value if sign == "!" else -value
    left = scope.evaluate(expression.left)
    if sign in {"&&", "||"}:
        if not isinstance(left, Unknown) and left is (sign == "||"):
            return left
        right = scope.evaluate(right_of)
        return left if isinstance(left, Unknown) and right is (sign == "&&") else right
    right = scope.evaluate(right_of)
    if sign in {"==", "!="}:
        return _equality(sign, left, right)
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return Unknown(f"${{{text_of(left)} {sign} {text_of(right)}}}")
    try:
        return _OPERATORS[sign](left, right)
    except TypeError:
        raise EvaluationError(f"{_kind(left)} {sign} {_kind(right)}") from None


def _equality(sign: str, left: Value, right: Value) -> Value:
    # What a resource says once it is made is not null.
    known = left is None or right is None or not (isinstance(left, Unknown) or isinstance(right, Unknown))
    if not known and str(left) != str(right):
        return Unknown(f"${{{text_of(left)} {sign} {text_of(right)}}}")
    return (left == right) == (sign == "==")


def _kind(value: Value) -> str:
    if isinstance(value, Unknown):
        return f"what is not known yet ({value})"
    if isinstance(value, dict):
        return f"an object of {', '.join(sorted(map(str, value))) or 'nothing'}"
    names = {list: "a list", str: "a string", bool: "a boolean", type(None): "null", int: "a number"}
    return names.get(type(value), type(value).__name__)


_EVALUATORS: dict[type, Callable[[Scope, Any], Value]] = {
    Literal: lambda _, literal: literal.value,
    Template: lambda scope, template: joined([scope.evaluate(part) for part in template.parts]),
    Name: lambda scope, name: scope.name(name.name),
    Member: lambda scope, each: member(scope.evaluate(each.of), each.name),
    Index: _index,
    Splat: _splat,
    Call: _call,
    ListOf: lambda scope, items: [scope.evaluate(item) for item in items.items],
    ObjectOf: lambda scope, made: {
        text_of(scope.evaluate(key)): scope.evaluate(value) for key, value in made.pairs
    },
    For: _for,
    Conditional: _conditional,
    Operation: _operation,
}
