"""Processes of the agent: forked by the run's nursery, or started afresh by `python -m`."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, Protocol, TextIO

import orjson

ROOT = Path(__file__).resolve().parents[2]
_COMMAND_SECONDS = 60


class AgentProcess(Protocol):
    """What tests do with a process; `subprocess.Popen[str]` is one."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def stdout(self) -> IO[str] | None:
        """What it prints."""

    @property
    def returncode(self) -> int | None:
        """How it ended, as far as `poll` and `wait` have found out."""

    def poll(self) -> int | None:
        """How it ended; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, minus the number of the signal that ended it; raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Sends a signal, or does nothing when it has ended."""

    def kill(self) -> None:
        """kill -9."""


class ForkedProcess:
    """A process that the nursery has forked; `keeper` is the socket that tells of its end."""

    def __init__(self, keeper: socket.socket, stdout: TextIO) -> None:
        self._keeper = keeper
        self._notes = keeper.makefile("rb")
        self.stdout: TextIO | None = stdout
        self.pid = int(self._notes.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self.returncode if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """How it ended; raises subprocess.TimeoutExpired when it has not after so many seconds."""
        if not self._has_ended(timeout) or self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Sends a signal, or does nothing when it has ended."""
        if self.poll() is None:
            # It may have ended, and the nursery is about to tell.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)

    def _has_ended(self, timeout: float | None) -> bool:
        if self.returncode is None and select.select([self._keeper], [], [], timeout)[0]:
            self.returncode = int(self._notes.readline())
            self._notes.close()
            self._keeper.close()
        return self.returncode is not None


class _Nursery:
    """The nursery of this test run, one a worker under xdist, started at first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def fork(
        self, module: str, folder: Path, environment: dict[str, str], log: IO[Any], arguments: tuple[str, ...]
    ) -> ForkedProcess:
        mine, keepers = socket.socketpair()
        reading, writing = os.pipe()
        request = {
            "module": module,
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
        }
        with self._lock:
            requests = self._requests or self._start()
            socket.send_fds(requests, [orjson.dumps(request)], [keepers.fileno(), writing, log.fileno()])
        keepers.close()
        os.close(writing)
        return ForkedProcess(mine, os.fdopen(reading))

    def _start(self) -> socket.socket:
        # Packets: a request is read whole, with its files.
        self._requests, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.nursery"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=its_end.fileno(),
        )
        its_end.close()
        atexit.register(self._end)
        return self._requests

    def _end(self) -> None:
        assert self._process is not None
        assert self._requests is not None
        self._requests.close()
        self._process.kill()
        self._process.wait()


_nursery = _Nursery()


def fork_process(
    module: str, folder: Path, environment: dict[str, str], log: IO[Any], *arguments: str
) -> AgentProcess:
    """The module as a process in the folder, with these variables alone; see `tests/servers/nursery.py`."""
    return _nursery.fork(module, folder, environment, log, arguments)


def fresh_process(
    module: str, folder: Path, environment: dict[str, str], log: IO[Any], *arguments: str
) -> AgentProcess:
    """The same by `python -m`; from the main thread, as it ends with the thread."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        preexec_fn=_end_with_parent,
    )


def run_command(
    module: str, *arguments: str, environment: dict[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    """What `python -m MODULE ARGUMENTS` prints and how it ends, forked by the nursery; in any thread."""
    command = [sys.executable, "-m", module, *arguments]
    variables = {**environment, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as log:
        process = _nursery.fork(module, folder, variables, log, arguments)
        assert process.stdout is not None
        with process.stdout as stdout:
            printed = stdout.buffer.read()
        status = process.wait(_COMMAND_SECONDS)
        log.seek(0)
        return subprocess.CompletedProcess(command, status, printed, log.read())


def run_fresh_command(
    module: str, *arguments: str, environment: dict[str, str], folder: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    """The same, started as its user starts it: it has to import all that it needs."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )


def _end_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
