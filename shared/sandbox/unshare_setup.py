"""Run by `unshare` as the first process of new namespaces: makes a file system of what a run may see, gives
up all rights, and runs the code as its child. A program of its own: the standard library is all it imports.

Its one argument is a JSON file, written by unshare.py.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import sys
from pathlib import Path
from typing import Any

_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _PRIVATE = 4096, 16_384, 1 << 18
_DETACH = 2
_NEW_USER_NAMESPACE = 0x10000000
_SET_DUMPABLE, _SET_SECCOMP, _DROP_BOUND, _NO_NEW_PRIVILEGES = 4, 22, 24, 38
_FILTER_MODE = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_NOBODY = 65_534
# What `statvfs` says of a mount that a new mount of it must say too, as mount(2) wants it said.
_KEPT_FLAGS = {8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def main(plan: dict[str, Any]) -> int:
    """Sets up, runs, and gives the exit code: 128 + number when a signal ended the code."""
    # Read from the proc of outside, which knows this process by its number there.
    number = int(os.readlink("/proc/self"))
    program = _read_all(plan["filter"])
    _make_root(plan)
    os.write(plan["info"], json.dumps({"child-pid": number}).encode())
    os.close(plan["info"])
    if not os.read(plan["hold"], 1):
        return 1
    _give_up_rights(plan["user"])
    # Code that runs as the same user may not look into this process or change it.
    _control(_SET_DUMPABLE, 0)
    child = os.fork()
    if child == 0:
        _become(plan, program)
    _load(program)
    # No signal of the parent's death outlives the change of user; the end of its pipe does.
    ended = select.poll()
    ended.register(os.pidfd_open(child), select.POLLIN)
    ended.register(plan["hold"], select.POLLHUP)
    if any(descriptor == plan["hold"] for descriptor, _ in ended.poll()):
        return 1
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def _make_root(plan: dict[str, Any]) -> None:
    root = Path(plan["root"])
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    _mount("tmpfs", root, "tmpfs", _NO_SETUID | _NO_DEVICES, "size=4m,mode=0755")
    for inside, outside in sorted(plan["binds"].items()):
        _bind(Path(outside), _inside(root, inside), _READ_ONLY | _NO_SETUID | _NO_DEVICES)
    for hidden in plan["empty"]:
        flags = _READ_ONLY | _NO_SETUID | _NO_DEVICES
        _mount("tmpfs", _inside(root, hidden), "tmpfs", flags, "size=4k,mode=0555")
    _make_devices(root)
    scratch = _inside(root, plan["scratch"])
    scratch.mkdir()
    _mount("tmpfs", scratch, "tmpfs", _NO_SETUID | _NO_DEVICES, plan["scratch_options"])
    out = _inside(root, plan["out"])
    out.mkdir()
    out.chmod(0o777)
    (root / "tmp").symlink_to(plan["scratch"])
    (root / "proc").mkdir()
    _mount("proc", root / "proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    _enter(root)
    os.chdir(plan["start"])


def _make_devices(root: Path) -> None:
    (root / "dev").mkdir()
    _mount("tmpfs", root / "dev", "tmpfs", _NO_SETUID, "size=64k,mode=0755")
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind(Path("/dev", name), root / "dev" / name, _NO_SETUID)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (root / "dev" / name).symlink_to(f"/proc/self/{target}")
    _mount(None, root / "dev", None, _REMOUNT | _READ_ONLY | _NO_SETUID, "size=64k,mode=0755")


def _enter(root: Path) -> None:
    old = root / "old"
    old.mkdir()
    number = _PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(number, os.fsencode(root), os.fsencode(old)), "pivot_root")
    os.chdir("/")
    _checked(_libc.umount2(b"/old", _DETACH), "umount")
    os.rmdir("/old")
    flags = _REMOUNT | _READ_ONLY | _NO_SETUID | _NO_DEVICES
    _mount(None, "/", None, flags, "size=4m,mode=0755")


def _bind(outside: Path, target: Path, flags: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if outside.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    _mount(outside, target, None, _BIND | _RECURSIVE)
    said = os.statvfs(target).f_flag
    kept = sum(flag for known, flag in _KEPT_FLAGS.items() if said & known)
    _mount(None, target, None, _BIND | _REMOUNT | flags | kept)


def _give_up_rights(user: int | None) -> None:
    """Root becomes a user that nobody is; an ordinary user a nobody in a namespace of his own."""
    for capability in range(64):
        # Those that this kernel does not know are refused.
        _libc.prctl(_DROP_BOUND, capability, 0, 0, 0)
    if user is None:
        outer_user, outer_group = os.getuid(), os.getgid()
        _checked(_libc.unshare(_NEW_USER_NAMESPACE), "unshare")
        for name, text in (
            ("setgroups", b"deny"),
            ("uid_map", b"%d %d 1" % (_NOBODY, outer_user)),
            ("gid_map", b"%d %d 1" % (_NOBODY, outer_group)),
        ):
            # Unencoded: where the run is not Python, this program's encodings are out of sight by now.
            descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(descriptor, text)
            os.close(descriptor)
    else:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _become(plan: dict[str, Any], program: bytes) -> None:
    try:
        for name, (soft, hard) in plan["limits"].items():
            resource.setrlimit(getattr(resource, name), (soft, hard))
        _load(program)
        command = plan["command"]
        # Without a shell: the command is a list already.
        os.execve(command[0], command, plan["environment"])  # noqa: S606
    finally:
        os._exit(127)


def _load(program: bytes) -> None:
    """The filter of system calls, for this process and what it becomes or starts."""
    _control(_NO_NEW_PRIVILEGES, 1)
    code = ctypes.create_string_buffer(program, len(program))
    what = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    _control(_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(what))


def _control(option: int, *values: int) -> None:
    given = (ctypes.c_ulong(one) for one in (*values, 0, 0, 0, 0)[:4])
    _checked(_libc.prctl(option, *given), f"prctl {option}")


def _mount(source: Any, target: str | Path, kind: str | None, flags: int, options: str | None = None) -> None:
    _checked(
        _libc.mount(
            *(None if one is None else os.fsencode(one) for one in (source, target, kind)),
            ctypes.c_ulong(flags),
            None if options is None else options.encode(),
        ),
        f"mount {target}",
    )


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
