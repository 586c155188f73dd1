"""What the domain asks of a sandbox: to run a bot's files once, within limits, and to tell what came of it.

What runs inside is never trusted: what it prints, writes and returns is data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Runtime = Literal["python", "node"]
# Which of the limits ended a run; None where it ended by itself.
Limit = Literal["time", "cpu", "memory", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """How much one run may use; times in seconds, sizes in bytes.

    `output_bytes` bounds each of standard output, standard error and all files given back together.
    `processes` counts the processes of the run, the first among them; threads are free.
    """

    wall_seconds: float = 30.0
    cpu_seconds: int = 30
    memory_bytes: int = 1024 * 1024 * 1024
    processes: int = 1
    output_bytes: int = 8 * 1024 * 1024
    disk_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxJob:
    """One run: `files` (relative POSIX paths) lie read-only in the folder the run starts in.

    `arguments` follow the runtime's interpreter: `("main.py",)`. `environment` is all that the run sees of
    an environment, beside what its runtime needs. Files that it writes below `OUT_DIR` (a variable that it
    finds set) are given back. The platform's SDK and the packages that bots may expect can be imported.
    """

    runtime: Runtime
    files: Mapping[str, bytes] = field(hash=False)
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    stdin: bytes = b""
    limits: SandboxLimits = SandboxLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRun:
    """How a run ended.

    `exit_code` is negative when a signal ended it (its number). `limit` names the limit that ended it.
    Outputs are cut at their limit; `truncated` says so. `files` are those below OUT_DIR by relative path.
    `cpu_seconds` is what its first process had used when it was last looked at, up to 0.05 s before its end.
    """

    exit_code: int
    limit: Limit | None
    stdout: bytes
    stderr: bytes
    truncated: bool
    files: Mapping[str, bytes] = field(hash=False)
    wall_seconds: float
    cpu_seconds: float


class Sandbox(Protocol):
    """Runs code of bots in isolation."""

    @property
    def isolation(self) -> str:
        """What keeps the code apart, for /health: `bubblewrap+seccomp`, `unshare`."""
        ...

    async def run(self, *, job: SandboxJob) -> SandboxRun:
        """Runs the job to its end or its limit; nothing of it is left afterwards, also when cancelled.

        A job that fails is a SandboxRun, never an exception.

        Raises:
            SandboxUnavailableError: nothing here isolates code well enough, so it is not run.
        """
        ...
