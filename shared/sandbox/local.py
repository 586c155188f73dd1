"""A sandbox of this machine: one adapter's command, run in a thread, a few jobs side by side."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from shared.errors import InvalidRequestError
from shared.sandbox.contained import Descriptors, run_contained
from shared.sandbox.job_folder import laid_out
from shared.sandbox.port import SandboxJob, SandboxRun
from shared.sandbox.runtimes import View, view_of
from shared.sandbox.seccomp import filter_program
from shared.sandbox.watching import Cancellation

MakeCommand = Callable[[SandboxJob, View, Path, Descriptors], list[str]]

NO_PACKAGES: Mapping[str, Path] = MappingProxyType({})
# Below what Linux takes for one argument, 128 KiB, with its name.
_LONGEST_WORD = 120_000


class LocalSandbox:
    """Runs jobs by an adapter's command; those above `parallel` wait for their place."""

    def __init__(
        self,
        make_command: MakeCommand,
        *,
        isolation: str,
        node_packages: Mapping[str, Path] = NO_PACKAGES,
        parallel: int | None = None,
    ) -> None:
        self._make_command = make_command
        self._isolation = isolation
        self._node_packages = node_packages
        self._cancellations: set[Cancellation] = set()
        # Threads of its own: a run that takes its whole time must not keep others' files from being read.
        self._threads = ThreadPoolExecutor(parallel or max(2, os.cpu_count() or 1), "sandbox")

    @property
    def isolation(self) -> str:
        """See the port."""
        return self._isolation

    async def run(self, *, job: SandboxJob) -> SandboxRun:
        """See the port.

        Raises:
            InvalidRequestError: a file's path, an argument or a variable cannot be given to a program.
        """
        _check(job)
        cancellation = Cancellation()
        self._cancellations.add(cancellation)
        running = self._threads.submit(self._run, job, cancellation)
        done = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not running.cancel():
                cancellation.cancel()
                await asyncio.wait({done})
            raise
        finally:
            self._cancellations.discard(cancellation)
            if running.done():
                cancellation.close()

    async def close(self) -> None:
        """Ends what runs; nothing is run afterwards."""
        for cancellation in self._cancellations:
            cancellation.cancel()
        await asyncio.to_thread(self._threads.shutdown)

    def _run(self, job: SandboxJob, cancellation: Cancellation) -> SandboxRun:
        view = view_of(job.runtime, job.limits, self._node_packages)
        program = filter_program(forks=job.limits.processes > 1)
        with laid_out(job.files) as folder:
            return run_contained(
                partial(self._make_command, job, view, folder),
                program=program,
                stdin=job.stdin,
                limits=job.limits,
                cancellation=cancellation,
            )


def _check(job: SandboxJob) -> None:
    words = (*job.arguments, *chain.from_iterable(job.environment.items()))
    if any("\0" in word or len(word.encode(errors="replace")) > _LONGEST_WORD for word in words):
        raise InvalidRequestError(
            "An argument or variable of a run has a NUL or is longer than 120,000 bytes"
        )
    if any(not name or "=" in name for name in job.environment):
        raise InvalidRequestError("A variable of a run has a name that no variable can have")
