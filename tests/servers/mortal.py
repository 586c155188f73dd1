"""A server process that a test may kill, hang and start again."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0


class MortalProcess:
    """The process of one server; `name` is for what a failed test says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def _start(self, command: list[str], answers: Callable[[], bool], *, folder: Path | None = None) -> None:
        """Starts it in the folder and returns when it answers; from the main thread, as it ends with it."""
        deadline = time.monotonic() + _START_SECONDS
        self._process = _spawn(command, folder)
        while not answers():
            if self._process.poll() is not None:
                # The port of a server that was just killed may be taken for a moment still.
                self._process = _spawn(command, folder)
            assert time.monotonic() < deadline, f"{self._name} does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """kill -9; what it had on disk is there at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """SIGSTOP: connections are taken, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_SECONDS
        while Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < deadline, f"{self._name} does not stop"

    def go_on(self) -> None:
        """SIGCONT: what was asked meanwhile is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _spawn(command: list[str], folder: Path | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,
    )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
