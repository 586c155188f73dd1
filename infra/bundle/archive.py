"""A zip whose bytes depend on the names and contents alone: sorted, one time, one mode."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import TooLargeError

MAX_BYTES = 10 * 1024 * 1024
# The earliest that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_REGULAR_FILE = 0o100644 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of the zip, its size before and in it, in bytes."""

    name: str
    size: int
    packed: int


@dataclass(frozen=True, slots=True)
class Archive:
    """A written zip."""

    path: Path
    files: tuple[Packed, ...]
    size: int
    sha256: str


def write_archive(files: Mapping[str, bytes], path: Path, *, max_bytes: int = MAX_BYTES) -> Archive:
    """Writes the files to `path`, whole or not at all.

    Raises:
        TooLargeError: the zip is larger than `max_bytes`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in sorted(files.items()):
                entry = zipfile.ZipInfo(name, _TIME)
                entry.create_system = _UNIX
                entry.external_attr = _REGULAR_FILE
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content, compresslevel=9)
            packed = tuple(
                Packed(one.filename, one.file_size, one.compress_size) for one in archive.infolist()
            )
        written = aside.read_bytes()
        if len(written) > max_bytes:
            raise TooLargeError(f"the bundle has {len(written):,} bytes; {max_bytes:,} are allowed")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return Archive(path, packed, len(written), hashlib.sha256(written).hexdigest())


__all__ = ["MAX_BYTES", "Archive", "Packed", "write_archive"]
