"""The strongest isolation that works here, found by trying it once, when it is first needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.errors import SandboxUnavailableError
from shared.sandbox.local import LocalSandbox
from shared.sandbox.node_packages import node_packages
from shared.sandbox.port import Sandbox, SandboxJob, SandboxLimits, SandboxRun
from shared.tracing.context import outside

Packages = Mapping[str, Path]
Open = Callable[[Packages], LocalSandbox]

NONE = "none"
# Fails where the filter of system calls is not in force, or the machine's files are seen.
_TRIAL_CODE = b"""
import os, _socket
try:
    _socket.socket()
except PermissionError:
    os._exit(os.path.exists("/etc/passwd"))
os._exit(2)
"""
_TRIAL = SandboxJob(
    runtime="python",
    files={"trial.py": _TRIAL_CODE},
    arguments=("-S", "trial.py"),
    limits=SandboxLimits(wall_seconds=30, memory_bytes=256 * 1024 * 1024),
)
_log = logging.getLogger(__name__)


def open_sandbox(packages: Packages | None = None) -> ChosenSandbox:
    """The sandbox of this machine; nothing is tried yet.

    `packages` are the folders of what Node.js bots may import, by name; None: those of node_packages.py.
    """
    return ChosenSandbox((_bubblewrap, _unshare), node_packages() if packages is None else packages)


class ChosenSandbox:
    """The first of several sandboxes in which a trial runs as it should; chosen at the first use."""

    def __init__(self, candidates: tuple[Open, ...], packages: Packages) -> None:
        self._candidates = candidates
        self._packages = packages
        self._choosing: asyncio.Task[Sandbox | None] | None = None

    @property
    def isolation(self) -> str:
        """See the port; `none` before the choice and when nothing here isolates."""
        chosen = self._chosen
        return chosen.isolation if chosen is not None else NONE

    async def check(self) -> str:
        """The isolation by name, chosen if need be.

        Raises:
            SandboxUnavailableError: nothing here isolates code well enough.
        """
        return (await self._choose()).isolation

    async def run(self, *, job: SandboxJob) -> SandboxRun:
        """See the port."""
        return await (await self._choose()).run(job=job)

    async def close(self) -> None:
        """Ends what runs."""
        if self._choosing is not None:
            chosen = await self._choosing
            if isinstance(chosen, LocalSandbox):
                await chosen.close()

    @property
    def _chosen(self) -> Sandbox | None:
        return self._choosing.result() if self._choosing is not None and self._choosing.done() else None

    async def _choose(self) -> Sandbox:
        if self._choosing is None:
            self._choosing = asyncio.create_task(self._first_that_works(), context=outside())
        # One caller that gives up must not end the choice for the others.
        chosen = await asyncio.shield(self._choosing)
        if chosen is None:
            raise SandboxUnavailableError("Nothing here isolates code of bots well enough, so none is run.")
        return chosen

    async def _first_that_works(self) -> Sandbox | None:
        for opening in self._candidates:
            sandbox = opening(self._packages)
            try:
                run = await sandbox.run(job=_TRIAL)
            except (SandboxUnavailableError, OSError) as error:
                reason = str(error.__cause__ or error)
                _log.info("no sandbox", extra={"isolation": sandbox.isolation, "reason": reason})
            else:
                if run.exit_code == 0:
                    return sandbox
                _log.warning("sandbox leaks", extra={"isolation": sandbox.isolation, "exit": run.exit_code})
            await sandbox.close()
        return None


def _bubblewrap(packages: Packages) -> LocalSandbox:
    from shared.sandbox import bubblewrap

    return LocalSandbox(bubblewrap.command, isolation=bubblewrap.NAME, node_packages=packages)


def _unshare(packages: Packages) -> LocalSandbox:
    from shared.sandbox import unshare

    return LocalSandbox(unshare.command, isolation=unshare.NAME, node_packages=packages)
