"""Firestore's indexes are those of infra/firestore.indexes.json, as the tests hold that to the queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from infra.checks.hcl.planning import Instance, Plan
from infra.checks.policy.rule import inner
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions
from infra.checks.repository import REPOSITORY


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Indexes, exemptions and TTL policies that are missing, or that nothing asks for."""
    if not plan.of_type("google_firestore_database"):
        return
    declared = json.loads((REPOSITORY / "infra" / "firestore.indexes.json").read_text(encoding="utf-8"))
    yield from _compared(
        "index",
        {_index(each) for each in declared["indexes"]},
        {_made_index(each) for each in plan.of_type("google_firestore_index")},
    )
    yield from _compared(
        "field",
        {_field(each) for each in declared["fieldOverrides"]},
        {_made_field(each) for each in plan.of_type("google_firestore_field")},
    )


def _compared(kind: str, asked: set[str], made: set[str]) -> Iterator[Problem]:
    for name in sorted(asked - made):
        yield Problem("infra/terraform", f"Firestore's {kind} {name} is not made, and the store asks for it")
    for name in sorted(made - asked):
        yield Problem(
            "infra/terraform", f"Firestore's {kind} {name} is made, and is not in firestore.indexes.json"
        )


def _index(declared: dict[str, Any]) -> str:
    fields = ", ".join(f"{field['fieldPath']} {field['order']}" for field in declared["fields"])
    return f"{declared['collectionGroup']} ({fields}) {declared['queryScope']}"


def _made_index(made: Instance) -> str:
    fields = ", ".join(
        f"{field.get('field_path')} {field.get('order')}" for field in made.values.get("fields", [])
    )
    return f"{made.values.get('collection')} ({fields}) {made.values.get('query_scope', 'COLLECTION')}"


def _field(declared: dict[str, Any]) -> str:
    indexes = ", ".join(f"{each['order']} {each['queryScope']}" for each in declared["indexes"])
    ttl = " with TTL" if declared.get("ttl") else ""
    return f"{declared['collectionGroup']}.{declared['fieldPath']} ({indexes}){ttl}"


def _made_field(made: Instance) -> str:
    config = inner(made.values, "index_config") or {}
    indexes = ", ".join(
        f"{each.get('order')} {each.get('query_scope', 'COLLECTION')}" for each in config.get("indexes", [])
    )
    ttl = " with TTL" if "ttl_config" in made.values else ""
    return f"{made.values.get('collection')}.{made.values.get('field')} ({indexes}){ttl}"
