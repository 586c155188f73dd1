"""Alerts and dashboard look at figures that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.checks.code.routes import routes
from infra.checks.code.words import metrics, names, says
from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Section, Value, text_of
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions

_METRIC = re.compile(r'metric\.type\s*=\s*\\?"([^"\\]+)\\?"')
_GOOGLE = re.compile(
    r"(run|pubsub|cloudsql|redis|firestore|storage|loadbalancing|cloudscheduler)\.googleapis\.com/\S+"
)
_OWN = "logging.googleapis.com/user/"
_LOG_FIELD = re.compile(r"jsonPayload\.(\w+)")
_LOG_TEXT = re.compile(r'jsonPayload\.message\s*=\s*"([^"]+)"')
_LOG_ROUTE = re.compile(r'jsonPayload\.route\s*=\s*"([^"]+)"')
# Fields that every line has (shared/web/logs.py, shared/web/app.py).
_ALWAYS = {"message", "route", "status", "severity"}


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Figures that nobody counts."""
    logged = plan.of_type("google_logging_metric")
    for instance in plan.of_type("google_monitoring_alert_policy", "google_monitoring_dashboard"):
        for name in sorted(set(_METRIC.findall(_all_text(instance.values)))):
            if not _is_counted(plan, name):
                yield Problem(instance.where, f"{instance.address}: nobody counts {name}")
    for metric in logged:
        yield from _from_logs(metric)


def _is_counted(plan: Plan, name: str) -> bool:
    if name.startswith(_OWN):
        own = {text_of(each.values.get("name")) for each in plan.of_type("google_logging_metric")}
        return name.removeprefix(_OWN) in own
    if name.startswith("prometheus.googleapis.com/"):
        return name.split("/")[1] in metrics()
    return _GOOGLE.fullmatch(name) is not None


def _from_logs(metric: Instance) -> Iterator[Problem]:
    read = _all_text(metric.values)
    for text in _LOG_TEXT.findall(read):
        if not says(text):
            yield Problem(metric.where, f"{metric.address}: no line of the log says {text!r}")
    for path in _LOG_ROUTE.findall(read):
        if not any(route.path == path for declared in routes().values() for route in declared):
            yield Problem(metric.where, f"{metric.address}: there is no route {path}")
    for name in sorted(set(_LOG_FIELD.findall(read)) - _ALWAYS):
        if not names(name):
            yield Problem(metric.where, f"{metric.address}: no line of the log has {name}")


def _all_text(values: Value) -> str:
    if isinstance(values, dict | Section):
        return "\n".join(_all_text(each) for each in values.values())
    return "\n".join(map(_all_text, values)) if isinstance(values, list) else text_of(values)
