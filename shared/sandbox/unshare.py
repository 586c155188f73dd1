"""`unshare` of util-linux, where there is no bubblewrap: the same namespaces, set up by a program of ours."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from shared.errors import SandboxUnavailableError
from shared.sandbox.bubblewrap import free_user
from shared.sandbox.contained import Descriptors
from shared.sandbox.port import SandboxJob
from shared.sandbox.runtimes import JOB, OUT, SCRATCH, View, resource_limits, system_binds

NAME = "unshare+seccomp"

_SETUP = Path(__file__).with_name("unshare_setup.py")
# bubblewrap cannot bound the number of files; this can.
_MOST_FILES = 20_000


def command(job: SandboxJob, view: View, folder: Path, given: Descriptors) -> list[str]:
    """The command that runs a job whose files lie in `folder`.

    Raises:
        SandboxUnavailableError: util-linux is not installed.
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        raise SandboxUnavailableError("util-linux is not installed.")
    as_root = os.geteuid() == 0
    plan = folder.parent / "plan.json"
    root = folder.parent / "root"
    root.mkdir()
    plan.write_text(json.dumps(_plan(job, view, folder, given, root, as_root=as_root)), encoding="utf-8")
    return [
        *(unshare, "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork"),
        *(() if as_root else ("--user", "--map-root-user")),
        *(sys.executable, "-I", "-S", str(_SETUP), str(plan)),
    ]


def _plan(
    job: SandboxJob, view: View, folder: Path, given: Descriptors, root: Path, *, as_root: bool
) -> dict[str, object]:
    """All that the set-up does, in values."""
    binds = {**system_binds(), **view.binds, JOB: folder}
    limits = resource_limits(job.runtime, job.limits)
    return {
        "root": str(root),
        "binds": {inside: str(outside) for inside, outside in binds.items()},
        "empty": list(view.empty),
        "scratch": SCRATCH,
        "out": OUT,
        "scratch_options": f"size={job.limits.disk_bytes},nr_inodes={_MOST_FILES},mode=1777",
        "start": JOB,
        "user": free_user() if as_root else None,
        "limits": {f"RLIMIT_{name.upper()}": pair for name, pair in limits.items()},
        "info": given.info,
        "hold": given.hold,
        "filter": given.filter,
        "command": [*view.command, *job.arguments],
        "environment": {**view.environment, **job.environment, "OUT_DIR": OUT},
    }
