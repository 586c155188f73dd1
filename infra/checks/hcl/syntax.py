"""Terraform's language as values: blocks with attributes, and expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A string without interpolation, a number, a boolean or null."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Template:
    """A string with interpolations."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """The first word of a reference: `var`, `local`, a resource's type, a name bound by `for`."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`."""

    of: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`of[key]`."""

    of: Expression
    key: Expression


@dataclass(frozen=True, slots=True)
class Splat:
    """`of[*].steps`, or the older `of.*.steps`."""

    of: Expression
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; with `spread` the last argument is a list of further ones."""

    name: str
    arguments: tuple[Expression, ...]
    spread: bool


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[items]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """`{key = value}`; a key that is a bare word is a literal."""

    pairs: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class For:
    """`[for names in source : value if condition]`, or with `key =>` an object, `grouped` by `...`."""

    names: tuple[str, ...]
    source: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouped: bool


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """`left operator right`; without `left`, `!` or `-` before `right`."""

    operator: str
    left: Expression | None
    right: Expression


Expression: TypeAlias = (
    Literal
    | Template
    | Name
    | Member
    | Index
    | Splat
    | Call
    | ListOf
    | ObjectOf
    | For
    | Conditional
    | Operation
)


@dataclass(slots=True)
class Block:
    """`kind "label" { attributes, blocks }`, and where it stands."""

    kind: str
    labels: tuple[str, ...]
    where: str
    attributes: dict[str, Expression] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Block]:
        """The blocks of one kind directly in this one."""
        return [block for block in self.blocks if block.kind == kind]


def children(expression: Expression) -> Iterator[Expression]:
    """The expressions directly in another."""
    for member in fields(expression):
        yield from _expressions(getattr(expression, member.name))


def _expressions(value: object) -> Iterator[Expression]:
    if isinstance(value, tuple):
        for each in value:
            yield from _expressions(each)
    elif isinstance(value, Expression):
        yield value
