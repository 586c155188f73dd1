"""Every function of the contract is deployed, from the source that has its target."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from infra.checks.hcl.planning import Plan
from infra.checks.hcl.values import text_of
from infra.checks.policy.rule import mapping
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions
from infra.checks.repository import REPOSITORY
from infra.local.gateway import TARGETS


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Functions that are missing, or whose entry point or source is not the code's."""
    for target in TARGETS.keys() - functions.keys():
        yield Problem("infra/terraform", f"the function {target} is not deployed")
    for target, function in functions.items():
        build = mapping(function.instance.values, "build_config")
        source = text_of(mapping(build, "environment_variables").get("GOOGLE_FUNCTION_SOURCE"))
        if source != TARGETS.get(target):
            yield function.problem(f"its source is {TARGETS.get(target)}, not {source}")
        elif not _defines(source, target):
            yield function.problem(f"{source} has no function {target}")
        if build.get("runtime") != "python311":
            yield function.problem("runtime takes python311, as pyproject.toml does")


def _defines(source: str, target: str) -> bool:
    path = REPOSITORY / source
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return any(
        isinstance(node, ast.AsyncFunctionDef) and node.name == target and node.decorator_list
        for node in tree.body
    )
