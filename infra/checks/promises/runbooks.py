"""Every alert names a runbook, and docs/operations.md has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from infra.checks.hcl.planning import Plan
from infra.checks.hcl.values import text_of
from infra.checks.policy.rule import inner
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions
from infra.checks.repository import REPOSITORY

_PAGE = "docs/operations.md"


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Alerts and budgets without a runbook, and runbooks that nobody wrote."""
    for alert in plan.of_type("google_monitoring_alert_policy", "google_billing_budget"):
        told = inner(alert.values, "documentation", "content") or alert.values.get("display_name", "")
        named = re.findall(r"#([\w-]+)", text_of(told))
        if not named:
            yield Problem(alert.where, f"{alert.address}: names no runbook")
        for anchor in named:
            if anchor not in anchors():
                yield Problem(alert.where, f"{alert.address}: {_PAGE} has no #{anchor}")


@cache
def anchors() -> frozenset[str]:
    """The anchors of the operations page: its headings, and those that it sets by hand."""
    path = REPOSITORY / _PAGE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    headings = re.findall(r"^#+ +(.+)$", text, re.M)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return frozenset(slugs | set(re.findall(r'<a (?:id|name)="([^"]+)"', text)))
