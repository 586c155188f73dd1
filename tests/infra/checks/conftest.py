"""Small configurations written by a test, and a copy of ours to plant a fault in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from infra.checks.configuration import cases
from infra.checks.hcl.modules import ModuleFiles, read_all
from infra.checks.hcl.planning import Plan, plan
from infra.checks.problem import Problem
from infra.checks.repository import REPOSITORY
from infra.checks.run import check_all

Write: TypeAlias = Callable[..., dict[Path, ModuleFiles]]
Planned: TypeAlias = Callable[..., Plan]
Check: TypeAlias = Callable[[Path], Iterable[Problem]]
Plant: TypeAlias = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes `main.tf`, and with a name the module of that name; answers with the modules read."""

    def written(text: str, **modules: str) -> dict[Path, ModuleFiles]:
        (tmp_path / "main.tf").write_text(text)
        for name, content in modules.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "main.tf").write_text(content)
        return read_all([tmp_path], tmp_path)

    return written


@pytest.fixture
def planned(write: Write, tmp_path: Path) -> Planned:
    """Writes as `write` does, and plans with the values given by `given`."""

    def made(text: str, given: dict[str, Any] | None = None, **modules: str) -> Plan:
        return plan(tmp_path, write(text, **modules), given or {})

    return made


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our `infra/terraform` in a repository of its own, with the production environment alone."""
    made = tmp_path_factory.mktemp("repository")
    shutil.copytree(REPOSITORY / "infra" / "terraform", made / "infra" / "terraform")
    shutil.copy(REPOSITORY / "infra" / "firestore.indexes.json", made / "infra")
    for path in (made / "infra" / "terraform" / "environments").glob("*.tfvars"):
        if path.stem != "production":
            path.unlink()
    return made


@pytest.fixture
def plant(copy: Path) -> Plant:
    """Replaces a text in a file of the copy, once, and looks for words in what a check says (all of them)."""

    def planted(file: str, old: str, new: str, told: str, check: Check = check_all) -> None:
        path = copy / "infra" / "terraform" / file
        text = path.read_text()
        assert old in text, f"{file} has changed: the test has nothing to replace"
        path.write_text(text.replace(old, new, 1))
        try:
            _look_for(told, check(copy))
        finally:
            path.write_text(text)

    return planted


def _look_for(told: str, problems: Iterable[Problem]) -> None:
    found: list[str] = []
    for problem in problems:
        found.append(str(problem))
        if told in found[-1]:
            return
    raise AssertionError(f"{told!r} is not among {found}")


def of_plans(repository: Path, check: Callable[[Plan], Iterable[Problem]]) -> Iterator[Problem]:
    """What a check says of each plan; those that are not asked for are not made."""
    root = repository / "infra" / "terraform"
    modules = read_all([root], repository)
    for given in cases(repository).values():
        made = plan(root, modules, given)
        yield from made.problems
        yield from check(made)
