"""Rules that every plan keeps, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.hcl.planning import Plan
from infra.checks.policy import access, delivery, storage, traffic
from infra.checks.policy.rule import Rule
from infra.checks.problem import Problem

RULES: tuple[Rule, ...] = (*access.RULES, *storage.RULES, *traffic.RULES, *delivery.RULES)


def check_policy(plan: Plan) -> Iterator[Problem]:
    """What a plan would make against a rule."""
    for rule in RULES:
        for instance, fault in rule.faults(plan):
            yield Problem(instance.where, f"{instance.address}: {fault} ({rule.reason})")
