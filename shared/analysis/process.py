"""Runs a checker as a subprocess with bounded time, memory and output."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

MAX_MEMORY = 1024 * 1024 * 1024


def run_bounded(
    command: Sequence[str],
    data: bytes = b"",
    *,
    timeout: float,
    max_output: int,
    folder: Path | None = None,
    reserves_memory: bool = False,
) -> tuple[bytes, int]:
    """What the command prints when given `data`, cut at `max_output`, and its exit code.

    A command that is stopped, as it takes too long or says too much, has a negative code. `reserves_memory`
    is for runtimes such as node's, which reserve more addresses than they use: what they fill is bounded.
    """
    # S603: callers give a fixed command; the analysed text goes to its input or to a file.
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "RAYON_NUM_THREADS": "1"},
    )
    watch = threading.Timer(timeout, process.kill)
    with process:
        watch.start()
        try:
            _limit_memory(process.pid, reserves_memory)
            output = _talk(process, data, max_output)
        finally:
            watch.cancel()
            process.kill()
    return output, process.returncode


def _talk(process: subprocess.Popen[bytes], data: bytes, max_output: int) -> bytes:
    """Everything the command prints, up to the limit; it reads all its input before it prints."""
    stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
    try:
        stdin.write(data)
        stdin.close()
    except BrokenPipeError:
        return b""
    output = stdout.read(max_output)
    if len(output) < max_output:
        process.wait()
    return output


def _limit_memory(pid: int, reserves_memory: bool) -> None:
    """Bounds the process's memory, where the system can do it from outside (Linux)."""
    if hasattr(resource, "prlimit"):
        kind = resource.RLIMIT_DATA if reserves_memory else resource.RLIMIT_AS
        resource.prlimit(pid, kind, (MAX_MEMORY, MAX_MEMORY))
