"""The load run, small: every operation succeeds and all that was acknowledged is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.load_visitor import OPERATIONS
from tests.servers.agent_process import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_all_functions_together_make_no_error(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- load:begin -->\n\nold\n\n<!-- load:end -->\nafter\n")
    sizes = ("--minutes", "0.8", "--sessions", "16", "--pause", "3")
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *sizes, "--out", str(out), "--write", str(page)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert out.exists(), done.stderr
    result = json.loads(out.read_text())
    assert result["errors"] == {}
    assert not [complaint for complaint in result["complaints"] if complaint.startswith("kept")]
    assert set(result["percentiles"]) <= {"begin", *(name for name, _ in OPERATIONS)}
    assert result["turns"] > 0
    assert result["events"] > 0
    written = page.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "| stream |" in written
    assert "old" not in written
