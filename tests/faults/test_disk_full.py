"""The disk under an embedded deployment is full: a file system of a few megabytes. Root must mount it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.faults.deployment import Deployment, check_failure
from tests.faults.outcome import outcome_of, undisturbed
from tests.faults.script import Script, message_of
from tests.servers.gemini import GeminiServer

_MEGABYTES = 12


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(folder)], check=True, timeout=10
    )
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


def fill(disk: Path) -> Path:
    """Writes until nothing more fits; the file to remove again."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"\0" * size):
                    continue
            except OSError:
                continue
    return ballast


async def test_it_is_told_and_nothing_is_lost(
    small_disk: Path, tmp_path: Path, model: GeminiServer, script: Script
) -> None:
    url = f"sqlite+aiosqlite:///{small_disk}/agent.db"
    async with Deployment(tmp_path, model, url, DATA_DIR=str(small_disk)) as deployment:
        deployment.start()
        expected, _ = await undisturbed(deployment)
        gate = script.hold("running", 0, 1)
        speaking = asyncio.create_task(deployment.say("running"))
        await deployment.until(partial(script.has_answered, "running", 0))
        ballast = fill(small_disk)
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
        ballast.unlink()
        for session in ("running", "new"):
            await deployment.insist(session)
            assert (await outcome_of(deployment, session)).effects == expected.effects
        assert "a.txt" not in await deployment.get("/artifacts/session/calm")
