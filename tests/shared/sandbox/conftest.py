"""The sandboxes of this machine: each adapter, opened once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.sandbox import bubblewrap, unshare
from shared.sandbox.local import LocalSandbox
from shared.sandbox.port import SandboxJob, SandboxLimits, SandboxRun

Run = Callable[..., Awaitable[SandboxRun]]
ADAPTERS = {"bubblewrap": bubblewrap.command, "unshare": unshare.command}


@pytest.fixture(params=ADAPTERS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[LocalSandbox]:
    """One adapter after the other."""
    opened = LocalSandbox(ADAPTERS[request.param], isolation=request.param)
    yield opened
    await opened.close()


@pytest.fixture
def run(sandbox: LocalSandbox) -> Run:
    """Runs a program of Python, or of JavaScript with `runtime="node"`, in the sandbox."""

    async def started(
        code: str, *, runtime: str = "python", stdin: bytes = b"", **limits: float
    ) -> SandboxRun:
        name = "main.py" if runtime == "python" else "main.js"
        job = SandboxJob(
            runtime="python" if runtime == "python" else "node",
            files={name: code.encode(), "data/candles.csv": b"time,close\n"},
            arguments=(name,),
            environment={"BOT_ID": "t"},
            stdin=stdin,
            limits=SandboxLimits(**limits),  # type: ignore[arg-type]  # names and values are the test's
        )
        return await sandbox.run(job=job)

    return started
