"""How events and scheduled calls are delivered, and who hears when they are not."""

from __future__ import annotations

from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import text_of
from infra.checks.policy.rule import Faults, Rule, inner

_PUBSUB_AGENT = "@gcp-sa-pubsub.iam.gserviceaccount.com"


def _pushes(plan: Plan) -> list[Instance]:
    return [each for each in plan.of_type("google_pubsub_subscription") if "push_config" in each.values]


def _calls_prove_themselves(plan: Plan) -> Faults:
    for push in _pushes(plan):
        yield from _token(push, "push_config", "push_endpoint")
    for job in plan.of_type("google_cloud_scheduler_job"):
        yield from _token(job, "http_target", "uri")


def _token(caller: Instance, block: str, address: str) -> Faults:
    call = inner(caller.values, block)
    token = inner(call, "oidc_token")
    if not inner(token, "service_account_email") or not inner(token, "audience"):
        yield caller, "has no oidc_token with service_account_email and audience"
    if not text_of(inner(call, address) or "").startswith("https://"):
        yield caller, f"{address} is no https address"


def _nothing_is_lost(plan: Plan) -> Faults:
    for push in _pushes(plan):
        topic = plan.named_by(inner(push.values, "dead_letter_policy", "dead_letter_topic"))
        if topic is None:
            yield push, "has no dead-letter topic"
            continue
        kept = [
            each
            for each in plan.of_type("google_pubsub_subscription")
            if plan.named_by(each.values.get("topic")) is topic
        ]
        if not kept:
            yield push, f"nothing keeps what comes to {topic.values.get('name')}"


def _pubsub_may_move(plan: Plan) -> Faults:
    """Pub/Sub's own account publishes dead letters and takes them off the subscription."""
    for push in _pushes(plan):
        topic = plan.named_by(inner(push.values, "dead_letter_policy", "dead_letter_topic"))
        for kind, role, name in (
            ("topic", "roles/pubsub.publisher", topic.values.get("name") if topic else None),
            ("subscription", "roles/pubsub.subscriber", push.values.get("name")),
        ):
            if not any(
                grant.values.get(kind) == name
                and grant.values.get("role") == role
                and text_of(grant.values.get("member", "")).endswith(_PUBSUB_AGENT)
                for grant in plan.of_type(f"google_pubsub_{kind}_iam_member")
            ):
                yield push, f"Pub/Sub has no {role} on the {kind} {name}"


def _alerts_tell_somebody(plan: Plan) -> Faults:
    for alert in plan.of_type("google_monitoring_alert_policy"):
        if not alert.values.get("notification_channels"):
            yield alert, "tells nobody"
        if "runbook" not in text_of(inner(alert.values, "documentation", "content") or "").lower():
            yield alert, "names no runbook"


RULES: tuple[Rule, ...] = (
    Rule("a call without a token could be anybody's", _calls_prove_themselves),
    Rule("a message that no receiver takes is for a person to see", _nothing_is_lost),
    Rule("without it dead letters come again for ever", _pubsub_may_move),
    Rule("who is woken has to know what to do", _alerts_tell_somebody),
)
