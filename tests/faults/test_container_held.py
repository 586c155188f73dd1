"""The entry as a container engine holds it: another user, no rights, a read-only root; bots run apart in it.

Over this machine's own files in place of an image's, so that it takes seconds; `make prove-image` builds the
image. It is for root, as CI is: nobody else can become the image's user.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from infra.docker.build import Image
from infra.docker.container import Confinement
from infra.docker.trials import Trial, try_one
from tests.servers.agent_process import ROOT
from tests.servers.ports import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

_USER = 10001
_TOOLS = {"FUNCTION_TARGET": "tools"}
_LIST = ("GET", "/tools")


@pytest.mark.parametrize(
    "trial",
    [
        Trial(
            "chat",
            ("POST", "/chat"),
            '"finish_reason":"stop"',
            {"message": "How do I deploy a bot?"},
            variables={"FUNCTION_TARGET": "chat"},
            sandbox="",
            has_socket=True,
        ),
        Trial("tools", _LIST, "verify_bot", variables=_TOOLS),
        # As Kubernetes holds the tools function of the overlay `sandbox`.
        Trial(
            "hostUsers",
            _LIST,
            "verify_bot",
            variables=_TOOLS,
            held=Confinement(profile=None, user_namespace=True),
        ),
        # Docker covers parts of /proc by default, and then the kernel lets nobody mount another.
        Trial(
            "covered",
            _LIST,
            "verify_bot",
            variables=_TOOLS,
            held=Confinement(masked_proc=True),
            sandbox="sandbox_unavailable",
        ),
    ],
    ids=lambda trial: trial.name,
)
def test_it_serves_and_ends_without_any_right(trial: Trial, tmp_path: Path) -> None:
    assert os.geteuid() == 0, "for root alone"
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir(mode=0o755)
    data.mkdir()
    if not trial.held.user_namespace:
        os.chown(data, _USER, _USER)
    python = Path(sys.prefix).resolve()
    image = Image(
        Path("/"),
        {},
        environment={
            "PATH": f"{python / 'bin'}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/tmp",
            "HOST": "0.0.0.0",
            "DATA_DIR": "/srv",
        },
        folder=str(ROOT),
        user=f"{_USER}:{_USER}",
        entrypoint=["python", "-m", "infra.container"],
        health=["python", "-I", str(ROOT / "infra" / "container" / "health.py")],
    )
    # The folders of this machine that root keeps for himself, or that the container's /tmp hides.
    mounts = {"/root": home, sys.base_prefix: Path(sys.base_prefix), str(python): python, str(ROOT): ROOT}
    told = try_one(image, tmp_path / "trial", trial, port=free_port(), mounts={**mounts, "/srv": data})
    assert trial.sandbox in told
