"""The disk under an embedded deployment is full."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults.deployment import Deployment, check_failure
from tests.faults.outcome import outcome_of, undisturbed
from tests.faults.script import Script, message_of
from tests.servers.agent import Agent
from tests.servers.gemini import GeminiServer

_MEGABYTES = 12
_NO_ROOM = 4096


class SmallDisk:
    """A file system of a few megabytes, in memory.

    Where this process may not mount one, the agent's files may not grow instead: its writes fail in the same
    place, with EFBIG in place of ENOSPC.
    """

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self.folder = folder
        self.mounted = mounted
        self._ballast = folder / "ballast"

    def fill(self, agent: Agent) -> None:
        """Nothing more fits from now on."""
        if not self.mounted:
            self._limit(agent, _NO_ROOM)
            return
        with self._ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                # Until it is full.
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        continue

    def empty(self, agent: Agent) -> None:
        """There is room again."""
        if self.mounted:
            self._ballast.unlink()
        else:
            self._limit(agent, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(agent: Agent, size: int) -> None:
        resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={_MEGABYTES}m"]
    mounting = subprocess.run(
        ["mount", *options, "tmpfs", str(folder)], check=False, capture_output=True, timeout=10
    )
    disk = SmallDisk(folder, mounted=mounting.returncode == 0)
    yield disk
    if disk.mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


async def test_it_is_told_and_nothing_is_lost(
    small_disk: SmallDisk, tmp_path: Path, model: GeminiServer, script: Script
) -> None:
    url = f"sqlite+aiosqlite:///{small_disk.folder}/agent.db"
    async with Deployment(tmp_path, model, url, DATA_DIR=str(small_disk.folder)) as deployment:
        deployment.start()
        assert deployment.agent is not None
        expected, _ = await undisturbed(deployment)
        gate = script.hold("running", 0, 1)
        speaking = asyncio.create_task(deployment.say("running"))
        await deployment.until(partial(script.has_answered, "running", 0))
        small_disk.fill(deployment.agent)
        gate.open()
        heard = await speaking
        assert heard.last.get("code") == "store_unavailable", heard
        check_failure(heard)
        asked = len(model.requests)
        new = await deployment.client.post("/chat", json={"message": message_of("new"), "session_id": "new"})
        assert (new.status_code, new.json()["code"]) == (503, "store_unavailable")
        assert int(new.headers["retry-after"]) >= 1
        assert len(model.requests) == asked
        put = await deployment.client.put("/artifacts/session/calm/a.txt", content=b"x" * 100_000)
        assert (put.status_code, put.json()["code"]) == (503, "store_unavailable")
        # What is there can be read.
        assert await outcome_of(deployment, "calm") == expected
        small_disk.empty(deployment.agent)
        for session in ("running", "new"):
            await deployment.insist(session)
            assert (await outcome_of(deployment, session)).effects == expected.effects
        assert "a.txt" not in await deployment.get("/artifacts/session/calm")
