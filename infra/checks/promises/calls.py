"""Who calls a function by itself, Pub/Sub and the scheduler, calls a route that is there and is let in."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from infra.checks.code.opened import calls
from infra.checks.code.routes import routes, serves
from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Value, text_of
from infra.checks.policy.rule import inner, mapping
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Deployed, Functions, principal

# What has to be called from outside: an instance stands still between requests.
_SCHEDULED = (
    ("events", "/events/publish"),
    ("events", "/events/upkeep"),
    ("artifacts", "/artifacts/retention"),
    ("nats_bridge", "/nats/pull"),
)


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Calls that come to no route, or are not let in, and routes that nobody calls."""
    for job in plan.of_type("google_cloud_scheduler_job"):
        target = inner(job.values, "http_target")
        yield from _call(plan, functions, job, target, text_of(inner(target, "uri")))
    for push in plan.of_type("google_pubsub_subscription"):
        if "push_config" in push.values:
            config = inner(push.values, "push_config")
            yield from _call(plan, functions, push, config, text_of(inner(config, "push_endpoint")))
    for trigger in plan.of_type("google_eventarc_trigger"):
        yield from _trigger(plan, functions, trigger)
    yield from _tools(functions)
    yield from _scheduled(plan, functions)
    yield from _open_to_users(plan, functions)


def _call(plan: Plan, functions: Functions, caller: Instance, call: Value, address: str) -> Iterator[Problem]:
    token = mapping(call, "oidc_token")
    audience, account = token.get("audience"), token.get("service_account_email")
    url = urlsplit(address)
    method = inner(call, "http_method") or "POST"
    called = next((each for each in functions.values() if audience in audiences(each)), None)
    if called is None:
        yield Problem(caller.where, f"{caller.address}: no function has the audience {audience}")
        return
    if not address.startswith(f"{audience}/"):
        yield Problem(caller.where, f"{caller.address}: {address} is not of the audience {audience}")
    path = url.path if url.scheme else ""
    if not serves(called.target, method, path):
        yield Problem(caller.where, f"{caller.address}: {called.target} does not serve {method} {path}")
    if principal(account) not in {principal(each) for each in accounts(called)}:
        yield Problem(
            caller.where, f"{caller.address}: SERVICE_ACCOUNTS of {called.target} lacks its account"
        )
    if not _may_invoke(plan, called, account):
        yield Problem(caller.where, f"{caller.address}: its account may not invoke {called.target}")


def _trigger(plan: Plan, functions: Functions, trigger: Instance) -> Iterator[Problem]:
    """Eventarc's audience is known only once it is there; the rest is as for others."""
    service = mapping(trigger.values, "destination", "cloud_run_service")
    account = trigger.values.get("service_account")
    for function in functions.values():
        if function.instance.values.get("name") != service.get("service"):
            continue
        if not serves(function.target, "POST", text_of(service.get("path"))):
            yield Problem(trigger.where, f"{function.target} does not serve POST {service.get('path')}")
        if principal(account) not in {principal(each) for each in accounts(function)}:
            yield Problem(trigger.where, f"SERVICE_ACCOUNTS of {function.target} lacks Eventarc's account")
        if not _may_invoke(plan, function, account):
            yield Problem(trigger.where, f"Eventarc's account may not invoke {function.target}")


def _tools(functions: Functions) -> Iterator[Problem]:
    """Who runs its turns' tools in the tools function is let in there."""
    tools = functions.get("tools")
    for function in functions.values():
        url = function.variables.get("TOOLS_URL")
        if tools is None or url not in audiences(tools):
            continue
        if function.account not in {principal(each) for each in accounts(tools)}:
            yield tools.problem(
                f"SERVICE_ACCOUNTS lacks the account of {function.target}, whose tools run here"
            )


def audiences(function: Deployed) -> list[str]:
    """The audiences of tokens that a function takes."""
    return text_of(function.variables.get("SERVICE_AUDIENCE", "")).split(",")


def accounts(function: Deployed) -> list[str]:
    """The accounts that may call a function as a service."""
    return text_of(function.variables.get("SERVICE_ACCOUNTS", "")).split(",")


def invokers(plan: Plan, function: Deployed) -> set[str]:
    """Whom Cloud Run lets through to a function."""
    return {
        principal(grant.values.get("member"))
        for grant in plan.of_type(
            "google_cloud_run_v2_service_iam_member", "google_cloud_run_service_iam_member"
        )
        if grant.values.get("role") == "roles/run.invoker"
        and (grant.values.get("name") or grant.values.get("service")) == function.instance.values.get("name")
    }


def _may_invoke(plan: Plan, function: Deployed, account: Value) -> bool:
    return bool({"allUsers", principal(account)} & invokers(plan, function))


def _scheduled(plan: Plan, functions: Functions) -> Iterator[Problem]:
    called = {
        urlsplit(text_of(inner(job.values, "http_target", "uri"))).path
        for job in plan.of_type("google_cloud_scheduler_job")
    }
    for target, path in _SCHEDULED:
        needed = target in functions and (target != "nats_bridge" or functions[target].given("NATS_URL"))
        if needed and path not in called:
            yield functions[target].problem(f"no job calls {path}")


def _open_to_users(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Functions that check users themselves are open to them; Cloud Run checks the callers of the others."""
    for target, function in functions.items():
        public = "allUsers" in invokers(plan, function)
        has_users = calls(target, "authenticator")
        if public and not has_users:
            yield function.problem("is open to everybody, and only services call it")
        if has_users and not public and routes()[target]:
            yield function.problem("users do not get through: their tokens are not Google's")
