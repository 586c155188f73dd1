"""The upload in an empty environment: its own requirements are installed, and each function starts.

By the contract's command; as a buildpack starts them, they start in tests/infra/test_bundle.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from infra.bundle.__main__ import ROOT
from tests.infra.unpacked import check_all, started_by_command

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]


def test_the_upload_installs_builds_and_starts_as_in_the_cloud(tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    for path, seed in ((first, "1"), (second, "2")):
        command = [sys.executable, "-m", "infra.bundle", "--out", str(path)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=True)
    assert first.read_bytes() == second.read_bytes()

    workspace = tmp_path / "workspace"
    with zipfile.ZipFile(first) as archive:
        archive.extractall(workspace)
    binaries = _installed(workspace, tmp_path / "venv")
    # As Google's buildpack does: one file that does not compile fails the build.
    subprocess.run([binaries / "python", "-m", "compileall", "-q", "."], cwd=workspace, check=True)

    def start(target: str) -> AbstractContextManager[str]:
        return started_by_command(workspace, target, binaries, tmp_path / "functions" / target)

    check_all(start)


def _installed(workspace: Path, venv: Path) -> Path:
    """The programs of a new environment with the upload's requirements, as plain pip resolves them."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
    subprocess.run(pip, cwd=workspace, check=True)
    return venv / "bin"
