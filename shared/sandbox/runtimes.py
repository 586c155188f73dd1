"""What of this machine a run gets to see, read-only: an interpreter, its libraries, the packages of bots."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from shared.errors import SandboxUnavailableError
from shared.sandbox.packages import package_files
from shared.sandbox.port import Runtime, SandboxLimits

JOB = "/job"
SCRATCH = "/scratch"
OUT = f"{SCRATCH}/out"
PACKAGES = "/packages"
NODE_MODULES = "/node_modules"

_MEGABYTE = 1024 * 1024
_COMMON = {
    "PATH": "/usr/bin",
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LANG": "C.UTF-8",
    # Numerical libraries start a thread a core, each with its own memory, and gain nothing on small series.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class View:
    """What one runtime finds inside.

    `binds` maps places inside to files or folders here; `empty` are folders that hide what a bind holds.
    """

    command: tuple[str, ...]
    binds: Mapping[str, Path] = field(hash=False)
    empty: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)


def view_of(runtime: Runtime, limits: SandboxLimits, node_packages: Mapping[str, Path]) -> View:
    """What a run of this runtime sees.

    Raises:
        SandboxUnavailableError: the runtime is not installed here.
    """
    return _python() if runtime == "python" else _node(limits.memory_bytes, node_packages)


def resource_limits(runtime: Runtime, limits: SandboxLimits) -> dict[str, tuple[int, int]]:
    """The limits of each process by `prlimit`'s names, soft and hard.

    Node.js reserves tens of gigabytes of addresses that it never touches, so its writable memory is bounded.
    """
    memory, tasks = limits.memory_bytes, 64 + 32 * limits.processes
    return {
        # The second more lets SIGXCPU, which tells what happened, come before SIGKILL.
        "cpu": (limits.cpu_seconds, limits.cpu_seconds + 1),
        ("as" if runtime == "python" else "data"): (memory, memory),
        "nproc": (tasks, tasks),
        "nofile": (256, 256),
        "fsize": (limits.disk_bytes, limits.disk_bytes),
        "memlock": (0, 0),
        "core": (0, 0),
    }


@cache
def system_binds() -> dict[str, Path]:
    """The loader and the system's shared libraries: what any program here needs to start."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    places = ["/lib64", "/usr/lib64", "/etc/ld.so.cache", "/usr/bin/prlimit", "/usr/bin/setpriv"]
    places += [f"/lib/{multiarch}", f"/usr/lib/{multiarch}"] if multiarch else ["/lib", "/usr/lib"]
    return {place: Path(place) for place in places if Path(place).exists()}


@cache
def _python() -> View:
    prefix = sys.base_prefix
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    executable = f"{prefix}/bin/{version}"
    names = {"base": prefix, "platbase": prefix, "installed_base": prefix, "installed_platbase": prefix}
    standard = sysconfig.get_path("stdlib", vars=names)
    if not Path(executable).exists() or not standard:
        raise SandboxUnavailableError(
            "This Python cannot be run in a sandbox: its files are not in one place."
        )
    binds = {executable: Path(os.path.realpath(executable)), standard: Path(standard)}
    libraries = Path(prefix, "lib").glob("libpython*.so*")
    binds |= {str(one): Path(os.path.realpath(one)) for one in libraries}
    binds |= {f"{PACKAGES}/{one.name}": one for one in package_files()}
    # Bots may not import what else is installed beside the standard library.
    hidden = tuple(f"{standard}/{name}" for name in ("site-packages", "dist-packages"))
    environment = {**_COMMON, "PYTHONPATH": PACKAGES, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    return View(
        command=(executable,),
        binds=binds,
        empty=tuple(one for one in hidden if Path(one).is_dir()),
        environment=environment,
    )


def _node(memory_bytes: int, node_packages: Mapping[str, Path]) -> View:
    found = shutil.which("node")
    if found is None:
        raise SandboxUnavailableError("Node.js is not installed here, so bots for it are not run.")
    binds = {"/usr/bin/node": Path(os.path.realpath(found))}
    binds |= {f"{NODE_MODULES}/{name}": one for name, one in node_packages.items() if one.is_dir()}
    # The heap's own limit ends a run with a message, before the process's limit ends it without.
    heap = max(32, memory_bytes * 3 // 5 // _MEGABYTE)
    return View(
        command=("/usr/bin/node", f"--max-old-space-size={heap}"),
        binds=binds,
        environment={**_COMMON, "NODE_NO_WARNINGS": "1"},
    )
