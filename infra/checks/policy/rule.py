"""A rule of the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Value

Faults: TypeAlias = Iterator[tuple[Instance, str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """Why it is kept, and what of a plan breaks it."""

    reason: str
    faults: Callable[[Plan], Faults]


def inner(values: Value, *names: str) -> Value:
    """The first block or value under some names, each within the one before; None when there is none."""
    for name in names:
        values = values.get(name) if isinstance(values, dict) else None
        if isinstance(values, list) and values and isinstance(values[0], dict):
            values = values[0]
    return values


def mapping(values: Value, *names: str) -> dict[str, Value]:
    """As `inner`, of an object; empty when there is none, or none that is known."""
    found = inner(values, *names)
    return found if isinstance(found, dict) else {}


def is_for_trying_out(plan: Plan) -> bool:
    """Whether the environment says that it may be destroyed with what it holds."""
    return plan.given.get("deletion_protection") is False
