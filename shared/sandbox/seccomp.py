"""The system calls that code of bots may not make, as a BPF filter for the kernel.

The filter forbids what a bot never needs and what has led out of sandboxes before: new namespaces, mounts,
tracing, io_uring, keys, BPF, sockets, and memory that no resource limit counts.
"""

from __future__ import annotations

import errno
import os
from functools import cache
from typing import Any

# Refused with EPERM. Sockets among them: even a socket of the sandbox's own empty network has no use.
_REFUSED = (
    *("mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree"),
    *("move_mount", "mount_setattr", "unshare", "setns", "open_by_handle_at", "name_to_handle_at"),
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "perf_event_open", "bpf"),
    *("keyctl", "add_key", "request_key", "socket", "bind", "connect", "listen", "accept", "accept4"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon"),
    *("swapoff", "syslog", "acct", "quotactl", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    *("sethostname", "setdomainname", "personality", "fanotify_init", "iopl", "ioperm", "modify_ldt"),
    # Memory that outlives or escapes the limits of a process.
    *("memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "msgget", "semget", "mq_open"),
    *("mlock", "mlock2", "mlockall", "vmsplice"),
)
_CLONE_THREAD = 0x00010000
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_MAP_SHARED_ANONYMOUS = 0x01 | 0x20


@cache
def filter_program(*, forks: bool) -> bytes:
    """The filter as the kernel takes it; with `forks` the code may start processes, else threads alone.

    Raises:
        OSError: this machine has no libseccomp.
    """
    try:
        # The package has no type information.
        import pyseccomp  # type: ignore[import-untyped]
    except (ImportError, RuntimeError) as error:
        raise OSError("libseccomp is not installed") from error
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    refuse = pyseccomp.ERRNO(errno.EPERM)
    for name in _REFUSED:
        _refuse(pyseccomp, rules, name)
    # The C library falls back to clone, whose flags can be looked at.
    rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in _NAMESPACES:
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # RLIMIT_DATA, which bounds Node.js, does not count shared memory.
    shared = _MAP_SHARED_ANONYMOUS
    rules.add_rule(refuse, "mmap", pyseccomp.Arg(3, pyseccomp.MASKED_EQ, shared, shared))
    if not forks:
        _refuse(pyseccomp, rules, "fork")
        _refuse(pyseccomp, rules, "vfork")
        rules.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0))
    return _exported(rules)


def _refuse(pyseccomp: Any, rules: Any, name: str) -> None:
    # A call that this libseccomp or processor does not know cannot be made by name; -1 is its answer.
    try:
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    except (OSError, ValueError):
        if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0:
            raise


def _exported(rules: Any) -> bytes:
    descriptor = os.memfd_create("filter", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "r+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
