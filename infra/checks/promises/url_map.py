"""Every path of the contract comes to the function that serves it, as the local gateway sends it."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.code.routes import example, routes
from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Section, Value
from infra.checks.policy.rule import inner
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions
from infra.local.gateway import target_of
from shared.web.system import SYSTEM_ROUTES

_SOCKET = "/ws/agent/a"


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Paths that the URL map sends to another function than the one that serves them."""
    maps = [each for each in plan.of_type("google_compute_url_map") if "path_matcher" in each.values]
    if not maps:
        yield Problem("infra/terraform", "there is no URL map with the contract's paths")
    for url_map in maps:
        for path, target in _paths():
            found = _served(plan, url_map, path)
            if found != target:
                yield Problem(url_map.where, f"{path} goes to {found}, and {target} serves it")
        yield from _socket(plan, url_map)


def _paths() -> Iterator[tuple[str, str]]:
    for target, declared in routes().items():
        for route in declared:
            yield example(route.path), target
    for route in SYSTEM_ROUTES:
        yield route.path, target_of(route.path)


def _socket(plan: Plan, url_map: Instance) -> Iterator[Problem]:
    """functions-framework serves no WebSocket: where a service for it is made, its path goes there."""
    sockets = [each.values.get("name") for each in plan.of_type("google_cloud_run_v2_service")]
    found = _served(plan, url_map, _SOCKET)
    if sockets and found not in sockets:
        yield Problem(url_map.where, f"{_SOCKET} goes to {found}, not to {sockets[0]}")


def _served(plan: Plan, url_map: Instance, path: str) -> str | None:
    """The target, or the name of another service, that a path comes to."""
    backend = plan.named_by(backend_of(inner(url_map.values, "path_matcher"), path))
    group = plan.named_by(inner(backend.values, "backend", "group")) if backend else None
    name = inner(group.values, "cloud_run", "service") if group else None
    for function in plan.of_type("google_cloudfunctions2_function"):
        if function.values.get("name") == name:
            return str(inner(function.values, "build_config", "entry_point"))
    return None if name is None else str(name)


def backend_of(matcher: Section, path: str) -> Value:
    """The backend of a path: of the exact rule, else of the longest that ends in `/*`, else the default."""
    rules = [(each, rule["service"]) for rule in matcher.get("path_rule", []) for each in rule["paths"]]
    best = max(
        (
            (pattern == path, len(pattern), service)
            for pattern, service in rules
            if pattern == path or (pattern.endswith("/*") and path.startswith(pattern[:-1]))
        ),
        key=lambda each: each[:2],
        default=(False, 0, matcher.get("default_service")),
    )
    return best[2]
