"""The topics that the code publishes to and hears are there, and each event comes to its handler."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.hcl.planning import Plan
from infra.checks.hcl.values import text_of
from infra.checks.policy.rule import inner
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Functions
from shared.settings import Settings

TOPICS = ("pubsub_events_topic", "pubsub_resume_topic", "pubsub_platform_topic")
# What the events function handles comes by these; without one of them nothing would come, and nothing fail.
_HEARD = ("pubsub_resume_topic", "pubsub_platform_topic")


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Topics of the settings that a plan does not make, and those that the events function does not hear."""
    made = {topic.values.get("name"): topic for topic in plan.of_type("google_pubsub_topic")}
    for function in functions.values():
        for setting in TOPICS:
            name = topic_of(function.variables, setting)
            if name not in made:
                yield function.problem(f"publishes to {name}, which is no topic of the plan")
    heard = set(_heard(plan))
    for setting in _HEARD:
        if "events" in functions:
            topic = topic_of(functions["events"].variables, setting)
            if topic not in heard:
                yield functions["events"].problem(f"nothing brings {topic}")


def topic_of(variables: dict[str, str], setting: str) -> str:
    """The topic that a function takes by a setting: as given, else the default."""
    default: str = Settings.model_fields[setting].default
    return variables.get(setting.upper(), default)


def _heard(plan: Plan) -> Iterator[str]:
    for subscription in plan.of_type("google_pubsub_subscription"):
        topic = plan.named_by(subscription.values.get("topic"))
        if topic is not None and "push_config" in subscription.values:
            yield text_of(topic.values.get("name"))
    for trigger in plan.of_type("google_eventarc_trigger"):
        topic = plan.named_by(inner(trigger.values, "transport", "pubsub", "topic"))
        if topic is not None:
            yield text_of(topic.values.get("name"))
