"""How requests come in."""

from __future__ import annotations

from infra.checks.hcl.planning import Plan
from infra.checks.policy.rule import Faults, Rule, inner

_LAST_PRIORITY = 2147483647
_LIMITS = {"throttle", "rate_based_ban"}


def _tls_is_modern(plan: Plan) -> Faults:
    for policy in plan.of_type("google_compute_ssl_policy"):
        if policy.values.get("profile") not in {"MODERN", "RESTRICTED"}:
            yield policy, "profile takes MODERN or RESTRICTED"
        if policy.values.get("min_tls_version") not in {"TLS_1_2", "TLS_1_3"}:
            yield policy, "min_tls_version takes TLS_1_2 or later"
    for proxy in plan.of_type("google_compute_target_https_proxy"):
        if "ssl_policy" not in proxy.values:
            yield proxy, "has no ssl_policy"


def _http_only_redirects(plan: Plan) -> Faults:
    for proxy in plan.of_type("google_compute_target_http_proxy"):
        served = plan.named_by(proxy.values.get("url_map"))
        if served is None or inner(served.values, "default_url_redirect", "https_redirect") is not True:
            yield proxy, "serves without TLS"


def _backends_are_guarded(plan: Plan) -> Faults:
    for backend in plan.of_type("google_compute_backend_service"):
        policy = plan.named_by(backend.values.get("security_policy"))
        if policy is None or policy.type != "google_compute_security_policy":
            yield backend, "has no security_policy"


def _addresses_are_limited(plan: Plan) -> Faults:
    for policy in plan.of_type("google_compute_security_policy"):
        rules = policy.values.get("rule", [])
        if not any(rule.get("action") in _LIMITS for rule in rules):
            yield policy, "limits no address"
        if not any(rule.get("priority") == _LAST_PRIORITY for rule in rules):
            yield policy, f"has no rule {_LAST_PRIORITY} for the rest"
        priorities = [rule.get("priority") for rule in rules]
        for priority in {each for each in priorities if priorities.count(each) > 1}:
            yield policy, f"has two rules of priority {priority}"


def _instances_are_bounded(plan: Plan) -> Faults:
    for function in plan.of_type("google_cloudfunctions2_function"):
        if not inner(function.values, "service_config", "max_instance_count"):
            yield function, "max_instance_count is not set"


def _nothing_listens(plan: Plan) -> Faults:
    for firewall in plan.of_type("google_compute_firewall"):
        if {"0.0.0.0/0", "::/0"} & set(firewall.values.get("source_ranges", [])):
            yield firewall, "lets everybody into the network"


RULES: tuple[Rule, ...] = (
    Rule("tokens and conversations go over it", _tls_is_modern),
    Rule("a token sent in the clear is everybody's", _http_only_redirects),
    Rule("limits hold only where the policy is", _backends_are_guarded),
    Rule("one caller would wake every instance there is", _addresses_are_limited),
    Rule("what scales without an end costs without an end", _instances_are_bounded),
    Rule("nothing in the network is for others", _nothing_listens),
)
