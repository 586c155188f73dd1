"""The roles of each account of ours: what its function's code does, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from infra.checks.code.opened import calls, reaches
from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Value, text_of
from infra.checks.policy.rule import inner
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Deployed, Functions, principal
from infra.checks.promises.topics import topic_of


class Grant(NamedTuple):
    """A role on something: `project`, or a bucket, topic, secret, service or account by its name."""

    role: str
    on: str

    def __str__(self) -> str:
        return f"{self.role} on {self.on}"


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Roles of functions that their code does not use, and those that it uses and that are not given."""
    given = grants_of(plan)
    for function in functions.values():
        held = given.get(function.account, {})
        used = dict(_used(plan, function))
        for grant in held.keys() - used.keys():
            yield Problem(held[grant].where, f"{function.target} has {grant}, and its code does not use it")
        for grant in used.keys() - held.keys():
            yield function.problem(f"lacks {grant}, which it needs: {used[grant]}")


def _used(plan: Plan, function: Deployed) -> Iterator[tuple[Grant, str]]:
    """What a function's code needs, each with where that is seen."""
    yield from _kept(function)
    yield from _published(function)
    if _asks_vertex(function):
        yield Grant("roles/aiplatform.user", "project"), "shared/model/gemini.py asks Vertex AI"
    if calls(function.target, "direct_url"):
        yield (
            Grant("roles/iam.serviceAccountTokenCreator", f"account {function.account}"),
            "shared/artifacts/gcs.py signs URLs as its own account",
        )
    for name, secret in (*function.secrets.items(), *function.files.items()):
        yield (
            Grant("roles/secretmanager.secretAccessor", f"secret {secret_of(plan, secret)}"),
            f"{name} is this secret",
        )


def _kept(function: Deployed) -> Iterator[tuple[Grant, str]]:
    database = text_of(function.variables.get("DATABASE_URL", ""))
    if "store" in function.parts and database.startswith("firestore://"):
        yield Grant("roles/datastore.user", "project"), "shared/sessions/firestore is its store"
    if "objects" in function.parts and function.variables.get("ARTIFACT_STORE") == "gcs":
        bucket = f"bucket {function.variables.get('ARTIFACT_BUCKET')}"
        if reaches(function.target, "shared.artifacts.deleting"):
            yield Grant("roles/storage.objectUser", bucket), "shared/artifacts/deleting.py removes files"
        else:
            yield Grant("roles/storage.objectViewer", bucket), "shared/artifacts/gcs.py reads files"
            yield Grant("roles/storage.objectCreator", bucket), "shared/artifacts/gcs.py adds files"


def _published(function: Deployed) -> Iterator[tuple[Grant, str]]:
    if "PUBSUB_PROJECT" not in function.variables:
        return
    topics = []
    if "relay" in function.parts:
        topics += ["pubsub_events_topic", "pubsub_resume_topic"]
    if "bridge" in function.parts and function.given("NATS_URL"):
        topics += ["pubsub_platform_topic"]
    for setting in topics:
        yield (
            Grant("roles/pubsub.publisher", f"topic {topic_of(function.variables, setting)}"),
            "shared/events/pubsub.py publishes there",
        )


def _asks_vertex(function: Deployed) -> bool:
    if text_of(function.variables.get("GOOGLE_GENAI_USE_VERTEXAI", "")) != "true":
        return False
    searches = "tools" in function.parts and not function.given("TAVILY_API_KEY")
    return "engine" in function.parts or searches


def secret_of(plan: Plan, reference: Value) -> str:
    """A secret's name, of a reference to it."""
    found = plan.named_by(reference)
    return text_of(found.values.get("secret_id") if found else reference)


def grants_of(plan: Plan) -> dict[str, dict[Grant, Instance]]:
    """Account -> its roles, each with the resource that gives it."""
    found: dict[str, dict[Grant, Instance]] = {}
    for instance in plan.instances:
        if instance.type.endswith("_iam_member"):
            account = principal(instance.values.get("member"))
            role = text_of(instance.values.get("role", ""))
            found.setdefault(account, {})[Grant(role, _on(plan, instance))] = instance
    return found


def _on(plan: Plan, grant: Instance) -> str:
    values = grant.values
    if "service_account_id" in values:
        return f"account {principal(values['service_account_id'])}"
    if "secret_id" in values:
        named = plan.named_by(values["secret_id"])
        return f"secret {named.values.get('secret_id') if named else values['secret_id']}"
    for argument, word in (
        ("bucket", "bucket"),
        ("topic", "topic"),
        ("subscription", "subscription"),
        ("repository", "repository"),
        ("name", "service"),
    ):
        if argument in values:
            return f"{word} {inner(values, argument)}"
    return "project"
