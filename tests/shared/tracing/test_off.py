"""Where no exporter is configured nothing of OpenTelemetry is loaded, in a whole turn with tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import asyncio, sys
import httpx
from functions_framework.aio import create_asgi_app

async def turn():
    app = create_asgi_app("chat", "functions/chat/main.py", "http")
    at_start = [name for name in sys.modules if name.startswith("opentelemetry")]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
        answer = await client.post("/chat", json={"message": "list my files"})
        metrics = await client.get("/metrics")
    assert answer.json()["tool_calls"], answer.text
    assert "tools_executed_total{" in metrics.text
    return at_start, [name for name in sys.modules if name.startswith("opentelemetry")]

print(asyncio.run(turn()))
"""


def test_off_is_not_loaded(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path / "data")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert run.stdout == "([], [])\n", run.stderr[-2000:]
