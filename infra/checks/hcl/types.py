"""Types of variables: what a given value becomes, and what it is refused for."""

from __future__ import annotations

from infra.checks.hcl.evaluate import Scope
from infra.checks.hcl.functions import call
from infra.checks.hcl.syntax import Call, Expression, ListOf, Literal, Name, ObjectOf
from infra.checks.hcl.values import Unknown, Value, text_of


class TypeMismatch(Exception):
    """A value is not of its variable's type."""


def converted(value: Value, kind: Expression, scope: Scope, *, strict: bool = False) -> Value:
    """A value as a variable of a type holds it, with the defaults of optional members.

    Terraform drops members that the type does not have. With `strict` they are refused: in a file of values
    they are misspelt.

    Raises:
        TypeMismatch: it is not of that type.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(kind, Name):
        return _primitive(value, kind.name)
    if isinstance(kind, Call) and len(kind.arguments) == 1:
        return _collection(value, kind.name, kind.arguments[0], (scope, strict))
    raise TypeMismatch("the variable's type cannot be read")


def _primitive(value: Value, kind: str) -> Value:
    if kind == "any":
        return value
    if isinstance(value, list | dict):
        raise TypeMismatch(f"takes a {kind}")
    if kind == "string":
        return text_of(value)
    if kind == "bool" and text_of(value) in {"true", "false"}:
        return text_of(value) == "true"
    if kind == "number" and not isinstance(value, bool):
        try:
            return call("tonumber", [value])
        except Exception:  # noqa: BLE001 - any refusal is the same one
            raise TypeMismatch("takes a number") from None
    raise TypeMismatch(f"takes a {kind}")


def _collection(value: Value, kind: str, of: Expression, how: tuple[Scope, bool]) -> Value:
    scope, strict = how
    if kind in {"list", "set"} and isinstance(value, list):
        items = [converted(item, of, scope, strict=strict) for item in value]
        return call("toset", [items]) if kind == "set" else items
    if kind == "map" and isinstance(value, dict):
        return {key: converted(item, of, scope, strict=strict) for key, item in value.items()}
    if kind == "object" and isinstance(value, dict) and isinstance(of, ObjectOf):
        return _object(value, of, how)
    if kind == "tuple" and isinstance(value, list) and isinstance(of, ListOf):
        return [
            converted(item, each, scope, strict=strict) for item, each in zip(value, of.items, strict=True)
        ]
    raise TypeMismatch(f"takes a {kind}")


def _object(value: dict[str, Value], of: ObjectOf, how: tuple[Scope, bool]) -> Value:
    scope, strict = how
    members = {key.value: kind for key, kind in of.pairs if isinstance(key, Literal)}
    unknown = sorted(set(value) - {str(name) for name in members})
    if unknown and strict:
        raise TypeMismatch(f"its type has no {', '.join(unknown)}")
    made: dict[str, Value] = {}
    for name, kind in members.items():
        optional = isinstance(kind, Call) and kind.name == "optional"
        inner = kind.arguments[0] if isinstance(kind, Call) and optional else kind
        given = value.get(str(name))
        if given is None and isinstance(kind, Call) and len(kind.arguments) == 2:
            given = scope.evaluate(kind.arguments[1])
        if str(name) not in value and not optional:
            raise TypeMismatch(f"{name} is missing")
        made[str(name)] = converted(given, inner, scope, strict=strict)
    return made
