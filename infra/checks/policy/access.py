"""Who may do what."""

from __future__ import annotations

from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Unknown, text_of
from infra.checks.policy.rule import Faults, Rule, inner, mapping
from shared.settings import Settings

_EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
_BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
# Ingress by which only the load balancer and the project's own reach a service, by its type.
_BEHIND_GATEWAY = {
    "google_cloudfunctions2_function": "ALLOW_INTERNAL_AND_GCLB",
    "google_cloud_run_v2_service": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
# Roles of what has no policy of its own. Others are given on the bucket, topic, secret, service or account.
_ONLY_ON_PROJECT = {
    "roles/aiplatform.user": "models are not resources",
    "roles/eventarc.eventReceiver": "triggers have no policy",
    "roles/logging.logWriter": "logs have no policy",
}
_SECRETS = frozenset(
    name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
)


def _grants(plan: Plan) -> list[Instance]:
    return [instance for instance in plan.instances if "_iam_" in instance.type and "role" in instance.values]


def _members(grant: Instance) -> list[str]:
    values = grant.values
    return [text_of(member) for member in values.get("members", [values.get("member", "")])]


def _nobody_is_everybody(plan: Plan) -> Faults:
    for grant in _grants(plan):
        if not _EVERYBODY & set(_members(grant)):
            continue
        if grant.values["role"] != "roles/run.invoker":
            yield grant, f"{grant.values['role']} for everybody"
        service = _service_of(plan, grant)
        if service is None or not _is_behind_gateway(service):
            yield grant, "everybody may call a service that is not behind the gateway alone"


def _service_of(plan: Plan, grant: Instance) -> Instance | None:
    name = grant.values.get("name") or grant.values.get("service")
    return next((each for each in plan.of_type(*_BEHIND_GATEWAY) if each.values.get("name") == name), None)


def _is_behind_gateway(service: Instance) -> bool:
    values = service.values
    ingress = values.get("ingress") or inner(values, "service_config", "ingress_settings")
    return bool(ingress == _BEHIND_GATEWAY[service.type])


def _services_are_behind_gateway(plan: Plan) -> Faults:
    for service in plan.of_type(*_BEHIND_GATEWAY):
        if not _is_behind_gateway(service):
            yield service, f"ingress takes {_BEHIND_GATEWAY[service.type]}"


def _no_basic_roles(plan: Plan) -> Faults:
    for grant in _grants(plan):
        role = text_of(grant.values["role"])
        if role in _BASIC or role.lower().endswith("admin"):
            yield grant, f"{role} lets more than any of ours does"


def _grants_are_close(plan: Plan) -> Faults:
    for grant in _grants(plan):
        if not grant.type.startswith(("google_project_", "google_folder_", "google_organization_")):
            continue
        role = text_of(grant.values["role"])
        condition = text_of(inner(grant.values, "condition", "expression") or "")
        if role not in _ONLY_ON_PROJECT and "resource.name" not in condition:
            yield grant, f"{role} on the whole project"


def _grants_add(plan: Plan) -> Faults:
    for instance in plan.instances:
        if instance.type.endswith(("_iam_policy", "_iam_binding")):
            yield instance, "takes the role from all whom it does not name"


def _no_keys(plan: Plan) -> Faults:
    for key in plan.of_type("google_service_account_key"):
        yield key, "a key of a service account"


def _own_accounts(plan: Plan) -> Faults:
    seen: set[str] = set()
    for function in plan.of_type("google_cloudfunctions2_function"):
        account = text_of(inner(function.values, "service_config", "service_account_email") or "")
        if not account or account in seen:
            yield function, "has no account of its own" if not account else f"shares {account}"
        seen.add(account)


def _no_plain_secrets(plan: Plan) -> Faults:
    for function in plan.of_type("google_cloudfunctions2_function"):
        for name, value in mapping(function.values, "service_config", "environment_variables").items():
            if name in _SECRETS or _is_secret(value):
                yield function, f"{name} holds a secret as a plain value"
    for service in plan.of_type("google_cloud_run_v2_service", "google_cloud_run_v2_job"):
        template = inner(service.values, "template")
        template = inner(template, "template") or template
        for variable in mapping(template, "containers").get("env", []):
            if (variable.get("name") in _SECRETS and "value" in variable) or _is_secret(
                variable.get("value")
            ):
                yield service, f"{variable['name']} holds a secret as a plain value"


def _is_secret(value: object) -> bool:
    words = (".auth_string", ".secret_data", ".password", "random_password.")
    return isinstance(value, Unknown) and any(word in value for word in words)


RULES: tuple[Rule, ...] = (
    Rule("what is open to everybody is open to whoever finds it", _nobody_is_everybody),
    Rule("Cloud Armor's limits hold only for what comes through the gateway", _services_are_behind_gateway),
    Rule("basic and administrators' roles reach everything there is", _no_basic_roles),
    Rule("what has a policy of its own is given there", _grants_are_close),
    Rule("others in the project have grants of their own", _grants_add),
    Rule("a key can be stolen and has no end", _no_keys),
    Rule("one account a function, so that each has what it uses", _own_accounts),
    Rule("plain variables stand in the state, the console and the logs of deployments", _no_plain_secrets),
)
