"""Where node and the packages of the repository's package-lock.json are, and how they are run."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.analysis.process import run_bounded

_ROOT = Path(__file__).resolve().parents[3]
PACKAGES = _ROOT / "node_modules"
TIMEOUT = 10.0
MAX_OUTPUT = 8 * 1024 * 1024
_HEAP = "--max-old-space-size=384"


def missing() -> str:
    """What of node, oxlint and oxc-parser is not there, in words; empty when all is."""
    if shutil.which("node") is None:
        return "node is not installed"
    names = [name for name in ("oxlint", "oxc-parser") if not (PACKAGES / name / "package.json").is_file()]
    return f"the node packages {' and '.join(names)} are not installed (npm ci)" if names else ""


def run_node(
    script: Path, *arguments: str, data: bytes = b"", folder: Path | None = None, timeout: float = TIMEOUT
) -> tuple[bytes, int]:
    """What the script prints, cut at `MAX_OUTPUT`, and its exit code, negative when it was stopped."""
    command = [shutil.which("node") or "node", _HEAP, str(script), *arguments]
    return run_bounded(
        command,
        data,
        timeout=min(TIMEOUT, timeout),
        max_output=MAX_OUTPUT,
        folder=folder,
        reserves_memory=True,
    )
