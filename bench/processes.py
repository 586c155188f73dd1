"""Child processes of a bench: started, awaited, measured, and gone when the bench is."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# psutil has no types, and the lock file no stubs of it.
import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0
STOP_SECONDS = 5.0
_FILES = 16_384


class BenchError(Exception):
    """Something that was to be measured did not run."""


class Child:
    """A process with its log in a file; stopped, with all it started, when the block ends."""

    def __init__(
        self, name: str, command: Sequence[str], *, folder: Path, talks: bool = False, **variables: str
    ) -> None:
        """Starts it; `talks` opens its standard input and output, `variables` are its environment."""
        self.name = name
        self.log = folder / f"{name}.log"
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(folder, variables),
                stdin=pipe,
                stdout=pipe if talks else log,
                stderr=log,
                start_new_session=True,
                # The danger is to threads, and a bench has none.
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def cpu_seconds(self) -> float:
        """User and system time so far, all threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def resident_bytes(self) -> int:
        """Resident memory now."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def wait_for_port(self, port: int) -> None:
        """Returns when the port takes connections.

        Raises:
            BenchError: the process ended, or the port stayed shut.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.01)
        raise self.failure("did not start")

    def failure(self, what: str) -> BenchError:
        """The error to raise when the process disappoints, with the end of its log."""
        return BenchError(f"{self.name} {what}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Ends the process and what it started: asked first, then made to."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def python(*arguments: str) -> tuple[str, ...]:
    """A command of this interpreter."""
    return (sys.executable, *arguments)


def free_port() -> int:
    """A port of the loopback address that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def allow_many_files() -> None:
    """Lets this process and its children hold the sockets of a thousand streams.

    Raises:
        BenchError: the system's own limit is too low.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 4096:
        raise BenchError(f"the limit of open files is {most}; a thousand streams need 4096")
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _environment(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        **variables,
    }


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG: a bench that is killed leaves nothing running.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
