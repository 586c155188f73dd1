"""A bare machine to build in: Debian as the base images have it, by debootstrap; steps run by chroot."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SUITE = "bookworm"
_PACKAGES = "ca-certificates,python3.11,python3.11-venv"
_AUTHORITIES = "etc/ssl/certs/ca-certificates.crt"
# How this machine reaches its package registries, as Docker hands a proxy to a build.
_PLUMBING = (
    *("PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "NODE_EXTRA_CA_CERTS"),
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy"),
    *("https_proxy", "no_proxy", "NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG"),
)


def make_base(folder: Path, mirror: str | None) -> None:
    """Debian's minimal system with its Python 3.11, in a folder; what is there already is taken as it is."""
    if (folder / ".made").exists():
        return
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", SUITE, str(folder)]
    run([*command, *([mirror] if mirror else [])])
    (folder / ".made").touch()


def dress(root: Path) -> None:
    """Gives a base the way to the network that this machine has, and the names of the official images."""
    for name in ("etc/resolv.conf", "etc/hosts", _AUTHORITIES):
        shutil.copy(Path("/", name), root / name)
    # The official image has its Python there.
    python = root / "usr/local/bin/python3.11"
    if not python.exists():
        python.symlink_to("/usr/bin/python3.11")


def add_node(root: Path) -> None:
    """What the official image of Node.js has, from this machine: node and npm."""
    node = Path(shutil.which("node") or "node").resolve()
    npm = Path(shutil.which("npm") or "npm").resolve().parents[1]
    shutil.copy(node, root / "usr/local/bin/node")
    shutil.copytree(npm, root / "usr/local/lib/node_modules/npm", symlinks=True)
    (root / "usr/local/bin/npm").symlink_to("../lib/node_modules/npm/bin/npm-cli.js")


@contextlib.contextmanager
def layer(lower: Path, folder: Path) -> Iterator[Path]:
    """A root file system over another one, which stays as it is; its changes are in `folder`."""
    parts = [folder / name for name in ("upper", "work", "root")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    upper, work, root = parts
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)])
    try:
        yield root
    finally:
        run(["umount", "--lazy", str(root)])


def run_in(root: Path, command: str, *, folder: str, variables: Mapping[str, str]) -> None:
    """A shell command in a root file system, with these variables and this machine's way to the network."""
    plumbing = {name: os.environ[name] for name in _PLUMBING if name in os.environ}
    environment = {**plumbing, **variables}
    words = ["-i", *(f"{name}={value}" for name, value in environment.items())]
    inside = f'mount -t proc proc {root}/proc && exec chroot {root} /usr/bin/env -C {folder} "$@"'
    apart = ["unshare", "--mount", "--pid", "--fork", "--ipc", "--uts", "/bin/sh", "-c", inside, "sh"]
    run([*apart, *words, "/bin/sh", "-c", command])


def run(command: Sequence[str]) -> None:
    """Runs a command of this machine.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is on standard error.
    """
    # Commands of this file and of the Dockerfile, on a machine that builds images.
    subprocess.run(list(command), check=True)  # noqa: S603
