"""Builds the Dockerfile without Docker, and starts what it makes: `python -m infra.docker.prove`.

Every instruction runs in a bare Debian made by debootstrap. The entry is then started as the image's user on
a read-only root for each FUNCTION_TARGET, asked for its health and what its sandbox says, and stopped.
docs/containers.md tells what this proves and what not. Linux, root, debootstrap, node and npm are needed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from infra.docker.build import Image, build
from infra.docker.context import copy_context
from infra.docker.dockerfile import read_dockerfile
from infra.docker.machine import add_node, dress, layer, make_base
from infra.docker.trials import TRIALS, try_all

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds and tries; 0 when all that was tried works."""
    parser = argparse.ArgumentParser(prog="python -m infra.docker.prove", description=__doc__)
    parser.add_argument("--base", type=Path, help="a folder with the base, made there when it is not; kept")
    parser.add_argument("--mirror", help="of Debian, for debootstrap")
    chosen = parser.parse_args(arguments)
    lacking = [name for name in ("debootstrap", "node", "npm", "mount") if shutil.which(name) is None]
    if os.geteuid() != 0 or lacking:
        sys.stderr.write(f"needs root, and {', '.join(lacking) or 'nothing else'}\n")
        return 1
    with ExitStack() as stack:
        work = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="prove-", ignore_cleanup_errors=True))
        )
        # The image's user has to pass through it.
        work.chmod(0o755)
        image = _build(chosen.base or work / "base", chosen.mirror, work, stack)
        return try_all(image, work, TRIALS)


def _build(base: Path, mirror: str | None, work: Path, stack: ExitStack) -> Image:
    make_base(base, mirror)
    dress(base)
    # Not over a further layer: the kernel stacks two.
    node = stack.enter_context(layer(base, work / "of-node"))
    add_node(node)
    bases = {"python": base, "node": node}
    context = work / "context"
    copy_context(ROOT, context)
    return build(
        read_dockerfile((ROOT / "Dockerfile").read_text(encoding="utf-8")),
        base_of=lambda name: bases[name.partition(":")[0]],
        context=context,
        folder=work / "stages",
        arguments={"COMMIT_HASH": "proof", "BUILD_DATE": "2026-01-01T00:00:00Z"},
        stack=stack,
    )


if __name__ == "__main__":
    sys.exit(main())
