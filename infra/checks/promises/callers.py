"""Accounts that are of no function: who builds, calls and migrates has the roles for that, and no other."""

from __future__ import annotations

from collections.abc import Iterator

from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Value, text_of
from infra.checks.policy.rule import inner, mapping
from infra.checks.problem import Problem
from infra.checks.promises.calls import accounts
from infra.checks.promises.deployed import Functions, principal
from infra.checks.promises.grants import Grant, grants_of, secret_of

_CALLS = "roles/run.invoker"


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Roles without a use, uses without a role, accounts that nobody is."""
    own = {account.address: account for account in plan.of_type("google_service_account")}
    needed: dict[str, set[Grant]] = {}
    for account, grant in _needed(plan):
        needed.setdefault(principal(account), set()).update(grant)
    held = grants_of(plan)
    for address, account in own.items():
        if any(address == function.account for function in functions.values()):
            continue
        if address not in needed:
            yield Problem(account.where, f"{address}: nobody acts as this account")
            continue
        calls = {grant for grant in held.get(address, {}) if grant.role == _CALLS}
        yield from _compared(account, set(held.get(address, {})) - calls, needed[address])
        yield from _may_call(account, calls, functions)


def _compared(account: Instance, held: set[Grant], needed: set[Grant]) -> Iterator[Problem]:
    for grant in held - needed:
        yield Problem(account.where, f"{account.address} has {grant}, and does nothing with it")
    for grant in needed - held:
        yield Problem(account.where, f"{account.address} lacks {grant}")


def _may_call(account: Instance, calls: set[Grant], functions: Functions) -> Iterator[Problem]:
    """Who gets through to a function that then refuses it has a role for nothing."""
    for function in functions.values():
        name = f"service {function.instance.values.get('name')}"
        listed = account.address in {principal(each) for each in accounts(function)}
        if Grant(_CALLS, name) in calls and not listed:
            yield function.problem(f"{account.address} may invoke it, and is none of SERVICE_ACCOUNTS")


def _needed(plan: Plan) -> Iterator[tuple[Value, set[Grant]]]:
    """Account -> the roles of what it does, calls aside."""
    for function in plan.of_type("google_cloudfunctions2_function"):
        build = mapping(function.values, "build_config")
        repository = plan.named_by(build.get("docker_repository"))
        yield (
            build.get("service_account"),
            {
                Grant("roles/logging.logWriter", "project"),
                # The upload, where Cloud Functions has put it.
                Grant("roles/storage.objectViewer", "project"),
                Grant("roles/artifactregistry.writer", f"repository {_name(plan, repository)}"),
            },
        )
    for job in plan.of_type("google_cloud_run_v2_job"):
        template = mapping(job.values, "template", "template")
        secrets = [
            inner(each, "value_source", "secret_key_ref", "secret")
            for each in mapping(template, "containers").get("env", [])
        ]
        yield (
            template.get("service_account"),
            {
                Grant("roles/secretmanager.secretAccessor", f"secret {secret_of(plan, secret)}")
                for secret in secrets
                if secret is not None
            },
        )
    for trigger in plan.of_type("google_eventarc_trigger"):
        yield trigger.values.get("service_account"), {Grant("roles/eventarc.eventReceiver", "project")}
    for caller, block in (
        ("google_cloud_scheduler_job", "http_target"),
        ("google_pubsub_subscription", "push_config"),
    ):
        for each in plan.of_type(caller):
            account = inner(each.values, block, "oidc_token", "service_account_email")
            if account is not None:
                yield account, set()


def _name(plan: Plan, repository: Instance | None) -> str:
    # The policy names a repository by what it is called once it is there.
    return "" if repository is None else text_of(repository.values.member("name"))
