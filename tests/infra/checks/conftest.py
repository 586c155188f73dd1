"""Small configurations written by a test, and a copy of ours to plant a fault in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from infra.checks.hcl.modules import ModuleFiles, read_all
from infra.checks.hcl.planning import Plan, plan
from infra.checks.problem import Problem
from infra.checks.run import check_all

Write: TypeAlias = Callable[..., dict[Path, ModuleFiles]]
Planned: TypeAlias = Callable[..., Plan]
Check: TypeAlias = Callable[[Path], Iterable[Problem]]
Plant: TypeAlias = Callable[..., list[str]]


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


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    """Our `infra/terraform` in a repository of its own, with the production environment alone."""
    infra = tmp_path / "infra"
    shutil.copytree(repository / "infra" / "terraform", infra / "terraform")
    shutil.copy(repository / "infra" / "firestore.indexes.json", infra)
    for path in (infra / "terraform" / "environments").glob("*.tfvars"):
        if path.stem != "production":
            path.unlink()
    return tmp_path


@pytest.fixture
def plant(copy: Path) -> Plant:
    """Replaces a text in a file of the copy, once, and answers with what a check says, by default all."""

    def planted(file: str, old: str, new: str, check: Check = check_all) -> list[str]:
        path = copy / "infra" / "terraform" / file
        text = path.read_text()
        assert old in text, f"{file} has changed: the test has nothing to replace"
        path.write_text(text.replace(old, new, 1))
        return [str(problem) for problem in check(copy)]

    return planted
