"""The functions of a plan, as the code knows them: by target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from infra.checks.code.opened import opened
from infra.checks.hcl.planning import Instance, Plan
from infra.checks.hcl.values import Unknown, Value, path_of, text_of
from infra.checks.policy.rule import inner, mapping
from infra.checks.problem import Problem


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function with what it is given: variables, secrets by the variables they fill, files of secrets."""

    target: str
    instance: Instance
    variables: dict[str, Value]
    secrets: dict[str, Value]
    files: dict[str, Value]

    @property
    def account(self) -> str:
        """The address of its service account."""
        return principal(inner(self.instance.values, "service_config", "service_account_email"))

    @property
    def parts(self) -> frozenset[str]:
        """The parts of shared/resources.py that it opens."""
        return opened(self.target, tools_apart="TOOLS_URL" in self.variables)

    def given(self, *names: str) -> bool:
        """Whether it is given all of these variables, plain or as secrets."""
        return all(name in self.variables or name in self.secrets for name in names)

    def problem(self, message: str) -> Problem:
        """Something wrong with this function."""
        return Problem(self.instance.where, f"{self.target}: {message}")


Functions: TypeAlias = dict[str, Deployed]


def deployed(plan: Plan) -> Functions:
    """The functions of a plan, by target."""
    found = [_deployed(each) for each in plan.of_type("google_cloudfunctions2_function")]
    return {each.target: each for each in found}


def _deployed(instance: Instance) -> Deployed:
    service = mapping(instance.values, "service_config")
    target = text_of(inner(instance.values, "build_config", "entry_point"))
    secrets = {each["key"]: each["secret"] for each in service.get("secret_environment_variables", [])}
    files = {
        f"{volume['mount_path']}/{version['path']}": volume["secret"]
        for volume in service.get("secret_volumes", [])
        for version in volume.get("versions", [])
    }
    return Deployed(target, instance, mapping(service, "environment_variables"), secrets, files)


def principal(member: Value) -> str:
    """The address of the service account that a reference, an e-mail or a policy's member is of."""
    path = path_of(Unknown(text_of(member).removeprefix("serviceAccount:")))
    for ending in (".email", ".member", ".name", ".id"):
        path = path.removesuffix(ending)
    return path
