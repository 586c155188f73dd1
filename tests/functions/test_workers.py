"""Several workers of one function count as one: whichever is asked, and whichever dies."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]

from tests.functions.test_targets import started
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import hang
from tests.servers.ports import wait_for


def metrics(url: str) -> dict[str, float]:
    """Each series with its value, asked on a connection of its own: any worker may answer."""
    found = {}
    for line in httpx.get(f"{url}/metrics", trust_env=False).text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def versions(found: dict[str, float]) -> float:
    return found.get('ai_requests_total{model="",request_type="/version",status="200"}', 0.0)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def owners(folder: Path) -> set[int]:
    """The processes that have counted."""
    return {
        int(found[1])
        for path in folder.glob("counter_*.db")
        if (found := re.search(r"_(\d+)\.db", path.name))
    }


def test_counts_and_gauges_of_two_workers(gemini: GeminiServer, tmp_path: Path) -> None:
    gemini.script(hang("Half"))
    folder = tmp_path / "metrics"
    folder.mkdir()
    variables = {
        "WORKERS": "2",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
        "GEMINI_API_KEY": gemini.api_key or "",
        "GEMINI_BASE_URL": gemini.url,
    }
    with started("chat", tmp_path, **variables) as (process, url):
        wait_for(f"{url}/livez", process)
        asked = 0

        def both_have_counted() -> bool:
            nonlocal asked
            asked += 1
            assert httpx.get(f"{url}/version", trust_env=False).status_code == 200
            return len(owners(folder)) == 2

        until(both_have_counted)
        # A line of a request is counted after its answer was sent.
        until(lambda: versions(metrics(url)) == asked)
        body = {"message": "Go", "session_id": "s"}
        with (
            httpx.Client(trust_env=False, timeout=60) as client,
            client.stream("POST", f"{url}/chat/stream", json=body) as response,
        ):
            next(line for line in response.iter_lines() if "Half" in line)
            # Whoever is asked, one turn runs; many asks, as either worker may be the one that runs it.
            assert {metrics(url)["active_ai_sessions"] for _ in range(8)} == {1.0}
            first, second = psutil.Process(process.pid).children()
            before = owners(folder)
            os.kill(first.pid, signal.SIGKILL)
            os.kill(second.pid, signal.SIGKILL)
        until(lambda: _answers(url))
        # What they had counted counts still, what they measured does not, and their files are gone.
        until(lambda: versions(metrics(url)) == asked)
        assert metrics(url)["active_ai_sessions"] == 0.0
        assert not owners(folder) & before
        assert {path.name for path in folder.glob("*_gone.db")} >= {"counter_gone.db"}
        # Once folded, nothing is added a second time.
        assert versions(metrics(url)) == asked


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
