"""python -m infra.bundle [--out FILE]: writes the upload, lists what is in it, and its size and hash."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.bundle.archive import write_archive
from infra.bundle.contents import PAGES, bundle_files, commit_of
from shared.errors import AppError
from shared.tools.documentation.__main__ import main as build_index

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Makes the bundle of the checkout at `root`; 0 when it is there, 1 with the reason."""
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description=__doc__)
    parser.add_argument("--out", type=Path, default=root / "dist" / "the0-agent.zip", metavar="FILE")
    chosen = parser.parse_args(arguments)
    # An index of older pages is passed over at run time, and every cold start would pay for it.
    if build_index([str(root / PAGES)]) != 0:
        return 1
    try:
        archive = write_archive(bundle_files(root), chosen.out)
        commit = commit_of(root)
    except (AppError, OSError) as error:
        sys.stderr.write(f"no bundle: {error}\n")
        return 1
    for file in archive.files:
        sys.stdout.write(f"{file.size:>10,}  {file.packed:>10,}  {file.name}\n")
    sys.stdout.write(f"{len(archive.files)} files of {commit} in {archive.path}\n")
    sys.stdout.write(f"{archive.size:,} bytes, sha256 {archive.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
