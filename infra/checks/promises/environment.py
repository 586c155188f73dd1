"""The variables of each function: all that it needs, none that is no setting, and it starts with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from infra.checks.hcl.planning import Plan
from infra.checks.hcl.values import text_of
from infra.checks.policy.rule import mapping
from infra.checks.problem import Problem
from infra.checks.promises.deployed import Deployed, Functions, principal
from shared.errors import ConfigurationError
from shared.settings import Settings, read_settings

# Variables that are not ours: of Google's buildpack, of OpenTelemetry, of the Python interpreter.
_STANDARD = re.compile(
    r"GOOGLE_FUNCTION_SOURCE|FUNCTION_TARGET|FUNCTION_SIGNATURE_TYPE|CONFIG_FILE|OTEL_\w+|PYTHON\w+"
)


@dataclass(frozen=True, slots=True)
class Need:
    """Variables that a function needs for a part it opens, and what happens without them."""

    part: str
    names: tuple[str, ...]
    without: str


_NEEDS = (
    Need("store", ("DATABASE_URL",), "sessions are in a file of one instance"),
    Need(
        "store",
        ("ENCRYPTION_KEYS",),
        "what is kept is not encrypted, and other instances cannot check approvals",
    ),
    Need("objects", ("ARTIFACT_STORE", "ARTIFACT_BUCKET"), "files are in a folder of one instance"),
    Need("engine", ("MODEL_PROVIDER",), "the offline planner answers"),
    Need("relay", ("PUBSUB_PROJECT",), "nobody is told of events"),
    Need("bridge", ("PUBSUB_PROJECT",), "the bridge has nowhere to take events"),
)
_EVERYWHERE = {
    "AUTH_MODE": "the function refuses to start",
    "SERVICE_AUDIENCE": "no service gets in",
    "SERVICE_ACCOUNTS": "no service gets in",
}
# Who opens one of these parts uses the variable; where one of them is given it, all are.
_USES: dict[str, frozenset[str]] = {
    "DATABASE_URL": frozenset({"store"}),
    "ENCRYPTION_KEYS": frozenset({"store", "approvals", "record_seal"}),
    "GEMINI_API_KEY": frozenset({"engine", "tools"}),
    "NATS_URL": frozenset({"bridge"}),
    "NATS_CA_FILE": frozenset({"bridge"}),
    "NATS_CREDENTIALS_FILE": frozenset({"bridge"}),
    "REDIS_URL": frozenset({"redis"}),
    "TAVILY_API_KEY": frozenset({"tools"}),
    "THE0_API_KEY": frozenset({"deployer"}),
    "TOOLS_URL": frozenset({"turn_tools"}),
}
# Values that secrets may have, so that the settings can be read.
_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
_SAMPLES = {
    "DATABASE_URL": "postgresql://user:password@host/database",
    "ENCRYPTION_KEYS": _KEY,
    "NATS_URL": "nats://host:4222",
    "REDIS_URL": "redis://host:6379/0",
}


def check(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """Variables that are missing, misspelt, wrong, or given to a function that has no use for them."""
    for function in functions.values():
        yield from _names(function)
        yield from _needs(function)
        yield from _starts(function)
    for name in _USES:
        yield from _users(name, functions)
    yield from _beside(plan, functions)


def _beside(plan: Plan, functions: Functions) -> Iterator[Problem]:
    """A service that runs beside a function, under its account, is configured as the function is."""
    for service in plan.of_type("google_cloud_run_v2_service"):
        template = mapping(service.values, "template")
        given = {each.get("name") for each in mapping(template, "containers").get("env", [])}
        for function in functions.values():
            if principal(template.get("service_account")) != function.account:
                continue
            for name in (function.variables.keys() | function.secrets.keys()) ^ given:
                yield Problem(service.where, f"{service.address}: {name} is not as in {function.target}")


def _names(function: Deployed) -> Iterator[Problem]:
    for name in (*function.variables, *function.secrets):
        if name.lower() not in Settings.model_fields and not _STANDARD.fullmatch(name):
            yield function.problem(f"{name} is no setting of shared/settings.py")
    for name in function.variables.keys() & function.secrets.keys():
        yield function.problem(f"{name} is given as a value and as a secret")


def _needs(function: Deployed) -> Iterator[Problem]:
    for need in _NEEDS:
        for name in need.names:
            if need.part in function.parts and not function.given(name):
                yield function.problem(f"{name} is not given: without it {need.without}")
    for name, without in _EVERYWHERE.items():
        if not function.given(name):
            yield function.problem(f"{name} is not given: without it {without}")


def _users(name: str, functions: Functions) -> Iterator[Problem]:
    holders = [function for function in functions.values() if function.given(name)]
    for function in functions.values():
        used = _uses(function, name)
        if function in holders and not used:
            yield function.problem(f"{name} is given, and nothing here uses it")
        if holders and used and function not in holders:
            yield function.problem(
                f"{name} is not given, as it is to {holders[0].target}, and it is used here"
            )


def _uses(function: Deployed, name: str) -> bool:
    if name == "GEMINI_API_KEY" and "engine" not in function.parts:
        # Without Tavily, Gemini is what searches the web.
        return "tools" in function.parts and not function.given("TAVILY_API_KEY")
    return bool(_USES[name] & function.parts)


def _starts(function: Deployed) -> Iterator[Problem]:
    """What the settings say to the values, with samples for what is not known before."""
    values = {name: re.sub(r"\$\{[^}]*\}", "0", text_of(value)) for name, value in function.variables.items()}
    for name in ("NATS_CA_FILE", "NATS_CREDENTIALS_FILE"):
        if name in values:
            if values[name] not in function.files:
                yield function.problem(f"{name} names {values[name]}, which is no mounted secret")
            values[name] = __file__
    secrets = {name: _SAMPLES.get(name, "secret") for name in function.secrets}
    try:
        read_settings({**values, **secrets, "K_SERVICE": function.target})
    except ConfigurationError as error:
        yield function.problem(f"does not start: {error.message}")
