"""Commands of docs/operations.md, so that tests run what operators read."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operations.md"


def commands(name: str) -> str:
    """The commands under the mark `<!-- tried: NAME -->` of the page."""
    found = re.findall(rf"<!-- tried: {re.escape(name)} -->\n+```bash\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(found) == 1, f"docs/operations.md has {len(found)} places {name}"
    text: str = found[0]
    return text


def run_commands(name: str, variables: dict[str, str], *, programs: Path | None = None) -> str:
    """Runs those commands, each to succeed; what they print. `programs` is a folder of the vendor's own."""
    folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
    if programs is not None:
        folders.insert(0, str(programs))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(name)],
        cwd=ROOT,
        env={"PATH": ":".join(folders), "PYTHONPATH": str(ROOT), **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout
