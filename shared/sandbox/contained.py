"""Runs the command of an adapter: starts it, lets it go, reads what it prints with a cap, ends all of it.

An adapter's command sets up the isolation, writes `{"child-pid": N}` to its info descriptor (N is the first
process of the new process namespace), waits until it can read from its hold descriptor, and then becomes the
code to run. While it waits, the folder for files is opened from outside; it stays readable when every process
of the run is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import IO

from shared.errors import SandboxUnavailableError
from shared.sandbox.job_folder import files_below
from shared.sandbox.port import SandboxLimits, SandboxRun
from shared.sandbox.runtimes import OUT
from shared.sandbox.watching import Cancellation, Watch

SETUP_SECONDS = 30.0
_MOMENT = 0.002
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the command inherits: where it tells its process, where it waits, and the filter it loads."""

    info: int
    hold: int
    filter: int


def run_contained(
    make_command: Callable[[Descriptors], Sequence[str]],
    *,
    program: bytes,
    stdin: bytes,
    limits: SandboxLimits,
    cancellation: Cancellation,
) -> SandboxRun:
    """Runs a command to its end or a limit; blocks the calling thread.

    Raises:
        SandboxUnavailableError: the isolation could not be set up; nothing of the job ran.
    """
    with ExitStack() as stack:
        info, info_end = _pipe(stack)
        hold_end, hold = _pipe(stack)
        given = Descriptors(info_end.fileno(), hold_end.fileno(), _sealed(stack, program).fileno())
        # The adapter's command: what the job brings is its arguments, after the interpreter.
        process = subprocess.Popen(  # noqa: S603
            list(make_command(given)),
            stdin=_sealed(stack, stdin),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            pass_fds=(given.info, given.hold, given.filter),
            start_new_session=True,
        )
        info_end.close()
        hold_end.close()
        started = _Started(process, stack)
        # The last to be registered and so the first to be called: it needs the descriptors that are open.
        stack.callback(started.end)
        started.find_child(info)
        folder = started.open_folder()
        watch = Watch(process, child=started.child, pid=started.pid, limits=limits, cancellation=cancellation)
        stack.enter_context(watch)
        hold.write(b"go")
        watch.until_it_ends()
        started.end()
        files, is_cut = files_below(folder, limit_bytes=max(0, limits.output_bytes - watch.length))
        return watch.result(files, is_cut=is_cut)


class _Started:
    """A command that is setting up; whatever happens, `end` leaves no process of it."""

    def __init__(self, process: subprocess.Popen[bytes], stack: ExitStack) -> None:
        self.process = process
        self.child = -1
        self.pid = -1
        self._stack = stack

    def find_child(self, info: IO[bytes]) -> None:
        """Learns the first process inside, when the command tells it."""
        told, deadline = b"", time.monotonic() + SETUP_SECONDS
        while time.monotonic() < deadline:
            ready, _, _ = select.select([info], [], [], deadline - time.monotonic())
            part = os.read(info.fileno(), 4096) if ready else b""
            if not part:
                break
            told += part
            with suppress(ValueError, KeyError, TypeError):
                self.pid = int(json.loads(told)["child-pid"])
                self.child = os.pidfd_open(self.pid)
                return
        raise self._unavailable()

    def open_folder(self) -> int:
        """The folder for files inside, as soon as the set-up has made it."""
        root, outside = f"/proc/{self.pid}/root", os.stat("/")
        deadline = time.monotonic() + SETUP_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError):
                inside = os.stat(root)
                if (inside.st_dev, inside.st_ino) != (outside.st_dev, outside.st_ino):
                    folder = os.open(f"{root}{OUT}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    self._stack.callback(os.close, folder)
                    return folder
            # There is no event for a mount in another namespace; setting up takes some tens of milliseconds.
            time.sleep(_MOMENT)
        raise self._unavailable()

    def end(self) -> None:
        """Ends every process of the run: with the first of a namespace, the kernel ends the others."""
        self._kill_child()
        if self.process.returncode is None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1 if self.child >= 0 else 0)
            self.process.kill()
            self.process.wait()
        if self.child >= 0:
            os.close(self.child)
            self.child = -1
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _kill_child(self) -> None:
        if self.child >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.child, signal.SIGKILL)

    def _unavailable(self) -> SandboxUnavailableError:
        self._kill_child()
        self.process.kill()
        try:
            _, said = self.process.communicate(timeout=SETUP_SECONDS)
        except subprocess.TimeoutExpired as late:
            said = late.stderr or b""
        reason = said.decode(errors="replace").strip()[-300:]
        error = SandboxUnavailableError("The sandbox could not be set up.")
        # For the log alone: it names folders of this machine.
        error.__cause__ = OSError(reason)
        return error


def _pipe(stack: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe2(os.O_CLOEXEC)
    return (
        stack.enter_context(open(read, "rb", buffering=0)),
        stack.enter_context(open(write, "wb", buffering=0)),
    )


def _sealed(stack: ExitStack, content: bytes) -> IO[bytes]:
    """A file in memory that nobody can change, the run included."""
    descriptor = os.memfd_create("given", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    file = stack.enter_context(os.fdopen(descriptor, "r+b", buffering=0))
    view = memoryview(content)
    while view:
        view = view[file.write(view) or 0 :]
    file.seek(0)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, _SEALS)
    return file
