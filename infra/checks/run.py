"""All checks, over the files as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from infra.checks.configuration import Configuration, read_configuration
from infra.checks.formatting import check_format
from infra.checks.hcl.planning import Plan
from infra.checks.policy import check_policy
from infra.checks.problem import ConfigurationProblem, Problem
from infra.checks.promises import check_promises
from infra.checks.references import check_references
from infra.checks.repository import REPOSITORY
from infra.checks.schema import check_names, check_types
from infra.checks.tables import schema


def check_all(repository: Path = REPOSITORY) -> list[Problem]:
    """What is wrong with a repository's `infra/terraform`, by place."""
    try:
        found = list(_problems(read_configuration(repository)))
    except ConfigurationProblem as error:
        found = [error.problem]
    return sorted(set(found))


def _problems(configuration: Configuration) -> Iterator[Problem]:
    for path in configuration.texts:
        yield from check_format(path.read_text(encoding="utf-8"), configuration.shown(path))
    yield from check_names(configuration.modules.values(), schema())
    yield from check_references(configuration.modules, schema())
    yield from _unplanned(configuration)
    for plan in configuration.plans.values():
        yield from _planned(plan)


def _planned(plan: Plan) -> Iterator[Problem]:
    yield from plan.problems
    if plan.problems:
        # Of what could not be worked out nothing can be said.
        return
    yield from check_types(plan, schema())
    yield from check_policy(plan)
    yield from check_promises(plan)


def _unplanned(configuration: Configuration) -> Iterator[Problem]:
    """What no plan makes is not looked at by the checks of plans."""
    made = {instance.where for plan in configuration.plans.values() for instance in plan.instances}
    for module in configuration.modules.values():
        for (_, kind, name), block in module.resources.items():
            if block.where not in made:
                yield Problem(
                    block.where, f"{kind}.{name} is in no plan: infra/checks/configuration.py lacks its case"
                )
