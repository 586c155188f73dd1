"""New files on a disk, create-only: when one has its name, its bytes and the name are synced."""

from __future__ import annotations

import errno
import os
from io import BufferedWriter
from pathlib import Path

from shared.ids import new_id

# What systems answer that have no files without a name, or give none a name by way of /proc.
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EPERM, errno.EXDEV)


class NewFiles:
    """Creates files; `aside` is a folder of the same disk for those that must have a name before their own.

    On Linux a file can be without one: a writer that dies leaves nothing behind, and two changes of a folder
    less have to reach the disk.
    """

    def __init__(self, aside: Path) -> None:
        self._aside = aside
        self._nameless = hasattr(os, "O_TMPFILE")

    def create(self, target: Path, data: bytes) -> bool:
        """Puts the bytes there; False, and nothing changed, when the name is taken.

        Raises:
            OSError: the disk did not take them.
        """
        folder = _opened(target.parent)
        try:
            self._place(target, folder, data)
            # Makes the name last: a synced file whose name is lost is lost. The folders above, where they are
            # new, go with it: ext4, XFS and Btrfs write their journal in order.
            os.fsync(folder)
        except FileExistsError:
            return False
        finally:
            os.close(folder)
        return True

    def _place(self, target: Path, folder: int, data: bytes) -> None:
        if self._nameless:
            try:
                return _place_nameless(target.name, folder, data)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                self._nameless = False
        return self._place_from_aside(target, data)

    def _place_from_aside(self, target: Path, data: bytes) -> None:
        self._aside.mkdir(parents=True, exist_ok=True)
        aside = self._aside / new_id()
        try:
            with aside.open("xb") as file:
                _write(file, data)
            # A hard link fails when the name exists: create-only, and never a half-written file.
            os.link(aside, target)
        finally:
            aside.unlink(missing_ok=True)


def _place_nameless(name: str, folder: int, data: bytes) -> None:
    with open(os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o666, dir_fd=folder), "wb") as file:
        _write(file, data)
        os.link(f"/proc/self/fd/{file.fileno()}", name, dst_dir_fd=folder, follow_symlinks=True)


def _write(file: BufferedWriter, data: bytes) -> None:
    """Writes all of it and syncs it."""
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _opened(folder: Path) -> int:
    """The folder, made when it is not there."""
    flags = os.O_RDONLY | os.O_DIRECTORY
    try:
        return os.open(folder, flags)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder, flags)
