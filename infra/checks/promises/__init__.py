"""What the code asks of the cloud, against what a plan gives it."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.hcl.planning import Plan
from infra.checks.problem import Problem
from infra.checks.promises import (
    alerts,
    callers,
    calls,
    database,
    environment,
    grants,
    runbooks,
    sources,
    topics,
    url_map,
)
from infra.checks.promises.deployed import deployed

_CHECKS = (
    sources.check,
    environment.check,
    grants.check,
    topics.check,
    url_map.check,
    calls.check,
    callers.check,
    database.check,
    alerts.check,
    runbooks.check,
)


def check_promises(plan: Plan) -> Iterator[Problem]:
    """What the code needs and a plan does not give, and what it gives for nothing."""
    functions = deployed(plan)
    for check in _CHECKS:
        yield from check(plan, functions)
