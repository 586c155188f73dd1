"""Watches a run: takes what it prints, up to a cap, and ends it at its limits."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from shared.sandbox.port import Limit, SandboxLimits, SandboxRun

_CHUNK = 65_536
# The processor time of code that has ended cannot be asked for: bubblewrap does not wait for it.
_SAMPLE_SECONDS = 0.05
# What is still in the pipes of a run that has ended is read within this time.
_DRAIN_SECONDS = 5.0
# The words by which the runtimes end when an allocation is refused.
_OUT_OF_MEMORY = (b"MemoryError", b"heap out of memory", b"Array buffer allocation failed")


class Cancellation:
    """Tells a run in another thread to end."""

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe2(os.O_CLOEXEC)

    def cancel(self) -> None:
        """Ends the run; when it has ended already, does nothing."""
        os.write(self._write, b"x")

    def close(self) -> None:
        """Frees the descriptors; the run must have ended."""
        os.close(self.descriptor)
        os.close(self._write)


class Watch:
    """A run that is going on: `child` is a descriptor of its first process inside, `pid` its number here."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        *,
        child: int,
        pid: int,
        limits: SandboxLimits,
        cancellation: Cancellation,
    ) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._child = child
        self._limits = limits
        self._began = time.monotonic()
        self._ended_by: Limit | None = None
        self._cpu = 0.0
        self._processor = _Processor(pid)
        self._wall = 0.0
        self._outputs = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
        self._is_cut = False
        self._exit = os.pidfd_open(process.pid)
        self._cancelled = cancellation.descriptor
        self._selector = selectors.DefaultSelector()
        for descriptor in (*self._outputs, self._exit, self._cancelled):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        os.close(self._exit)

    @property
    def length(self) -> int:
        """How many bytes of output were kept."""
        return sum(map(len, self._outputs.values()))

    def until_it_ends(self) -> None:
        """Reads until the run's last process has ended, which it makes happen at a limit."""
        deadline = self._began + self._limits.wall_seconds
        while self._is_running():
            left = deadline - time.monotonic()
            if left <= 0:
                # Ended once; what follows is the time that ending takes.
                self._stop("time")
                deadline = time.monotonic() + _DRAIN_SECONDS
                left = _DRAIN_SECONDS
            self._read(min(left, _SAMPLE_SECONDS))
            self._cpu = self._processor.seconds()
        self._wall = time.monotonic() - self._began
        drained = time.monotonic() + _DRAIN_SECONDS
        while self._has_output() and time.monotonic() < drained:
            self._read(drained - time.monotonic())

    def result(self, files: dict[str, bytes], *, is_cut: bool) -> SandboxRun:
        """What came of the run, with these files."""
        stdout, stderr = (bytes(kept) for kept in self._outputs.values())
        code = -signal.SIGKILL if self._ended_by else _exit_code(self._process.returncode)
        return SandboxRun(
            exit_code=code,
            limit=self._ended_by or self._limit_of(code, stderr),
            stdout=stdout,
            stderr=stderr,
            truncated=self._is_cut or is_cut,
            files=files,
            wall_seconds=self._wall,
            cpu_seconds=self._cpu,
        )

    def _is_running(self) -> bool:
        return self._process.returncode is None

    def _has_output(self) -> bool:
        return any(key in self._outputs for key in self._selector.get_map())

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(max(0.0, seconds)):
            if key.fd in self._outputs:
                self._take(key.fd)
            elif key.fd == self._exit:
                self._selector.unregister(self._exit)
                self._reap()
            else:
                self._selector.unregister(self._cancelled)
                self._stop("time")

    def _take(self, descriptor: int) -> None:
        part = os.read(descriptor, _CHUNK)
        if not part:
            self._selector.unregister(descriptor)
            return
        left = self._limits.output_bytes - self.length
        self._outputs[descriptor] += part[:left]
        if len(part) > left:
            self._is_cut = True
            self._stop("output")

    def _reap(self) -> None:
        self._process.wait()

    def _stop(self, limit: Limit) -> None:
        self._ended_by = self._ended_by or limit
        # What ending makes the adapter's own program say is not the run's.
        for descriptor in self._outputs:
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._child, signal.SIGKILL)

    def _limit_of(self, code: int, stderr: bytes) -> Limit | None:
        # Code may ignore SIGXCPU; SIGKILL follows a second later.
        is_used_up = self._cpu >= self._limits.cpu_seconds - 2 * _SAMPLE_SECONDS
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and is_used_up):
            return "cpu"
        if code != 0 and any(words in stderr[-4096:] for words in _OUT_OF_MEMORY):
            return "memory"
        return None


class _Processor:
    """The processor time of the code inside, the only child of the first process inside."""

    def __init__(self, first: int) -> None:
        self._children = Path(f"/proc/{first}/task/{first}/children")
        self._clock: int | None = None
        self._seconds = 0.0

    def seconds(self) -> float:
        """The time it used when it was last seen running."""
        with suppress(OSError, ValueError, IndexError):
            if self._clock is None:
                pid = int(self._children.read_text(encoding="ascii").split()[0])
                # The kernel's number of the clock of all threads of a process.
                self._clock = (~pid << 3) | 2
            self._seconds = time.clock_gettime(self._clock)
        return self._seconds


def _exit_code(code: int) -> int:
    """The command tells by 128 + number that a signal ended the code inside."""
    return 128 - code if 128 < code < 128 + signal.NSIG else code
