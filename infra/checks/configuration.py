"""`infra/terraform` read once: its files, and its plan for each environment and for everything together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infra.checks.hcl.modules import ModuleFiles, read_all
from infra.checks.hcl.planning import Plan, plan, read_values
from infra.checks.hcl.values import Value

# Beside the environments' own files: everything that can be switched on, together.
CASES: dict[str, dict[str, Value]] = {
    "everything": {
        "project": "the0-checks",
        "domains": ["agent.the0.example"],
        "authentication": {"shared_secret": True, "issuer": "the0", "audience": "agent"},
        "platform": {"api_url": "https://api.the0.example", "api_key": True},
        "model": {"provider": "api_key"},
        "tavily": True,
        "database": "postgres",
        "postgres": {"max_connections": 1000},
        "redis": {"memory_gb": 1},
        "nats": {"enabled": True, "private": True, "ca_file": True, "credentials_file": True},
        "events": {"delivery": "eventarc", "subscribers": ["group:bots@the0.example"]},
        "run_tools_apart": True,
        "websocket_image": "image",
        "migration_image": "image",
        "alerts": {"emails": ["operator@the0.example"]},
        "budget": {"billing_account": "012345-6789AB-CDEF01"},
        "gateway": {"trusted_ranges": ["192.0.2.0/24"]},
    },
}


@dataclass(slots=True)
class Configuration:
    """The files and plans; `plans` goes by the names of environments and cases."""

    repository: Path
    modules: dict[Path, ModuleFiles]
    texts: list[Path]
    plans: dict[str, Plan]

    def shown(self, path: Path) -> str:
        """A file's name in problems."""
        return path.relative_to(self.repository).as_posix()


def read_configuration(repository: Path) -> Configuration:
    """Everything of a repository's `infra/terraform`.

    Raises:
        ConfigurationProblem: a file cannot be read.
    """
    repository = repository.resolve()
    root = repository / "infra" / "terraform"
    modules = read_all([root], repository)
    return Configuration(
        repository=repository,
        modules=modules,
        texts=sorted([*root.rglob("*.tf"), *root.rglob("*.tfvars")]),
        plans={name: plan(root, modules, given) for name, given in cases(repository).items()},
    )


def cases(repository: Path) -> dict[str, dict[str, Value]]:
    """The values of the root's variables, by environment and case.

    Raises:
        ConfigurationProblem: a file of values cannot be read.
    """
    paths = sorted((repository / "infra" / "terraform").rglob("*.tfvars"))
    given = {path.stem: read_values(path, path.relative_to(repository).as_posix()) for path in paths}
    return {**given, **CASES}
