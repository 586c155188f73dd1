"""A job's files laid out in a folder, and what a run wrote read back, without trusting either."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from shared.errors import InvalidRequestError

MAX_FILES_BACK = 500
MAX_ENTRIES_SEEN = 5_000
MAX_DEPTH = 8


@contextmanager
def laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder with these files that any user of the machine may read, gone afterwards.

    Raises:
        InvalidRequestError: a path is absolute, leaves the folder, or is both a file and a folder.
    """
    with TemporaryDirectory(prefix="job-", ignore_cleanup_errors=True) as made:
        folder = Path(made, "job")
        folder.mkdir()
        for name, content in files.items():
            _write(folder, name, content)
        for parent, _, _ in os.walk(folder):
            os.chmod(parent, 0o755)  # noqa: S103  read by the user that the run has
        yield folder


def _write(folder: Path, name: str, content: bytes) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name:
        raise InvalidRequestError(f"{name!r} is no path inside a bot's folder")
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise InvalidRequestError(f"{name!r} cannot be a file of a bot beside its other files") from error
    target.chmod(0o644)


def files_below(directory: int, *, limit_bytes: int) -> tuple[dict[str, bytes], bool]:
    """The regular files below an open folder, and whether something was left out.

    Links are never followed, nothing that is no regular file is opened, and sizes, entries and depth are
    bounded. Call it when no process of the run is left: then nothing changes below it.
    """
    reading = _Reading(directory, limit_bytes)
    reading.read(".", depth=1)
    return reading.files, reading.is_cut


@dataclass(slots=True)
class _Reading:
    """Reads files until a bound is met."""

    directory: int
    left: int
    files: dict[str, bytes] = field(default_factory=dict)
    entries: int = 0
    is_cut: bool = False

    def read(self, folder: str, *, depth: int) -> None:
        try:
            for name in self._names(folder):
                self._entry(name if folder == "." else f"{folder}/{name}", depth=depth)
        except OSError:
            # A run may take away the rights to its own folders and files.
            self.is_cut = True

    def _names(self, folder: str) -> list[str]:
        descriptor = _opened(folder, self.directory, os.O_DIRECTORY)
        try:
            with os.scandir(descriptor) as entries:
                names = sorted(one.name for one in islice(entries, MAX_ENTRIES_SEEN + 1 - self.entries))
        finally:
            os.close(descriptor)
        self.entries += len(names)
        self.is_cut = self.is_cut or self.entries > MAX_ENTRIES_SEEN
        return names

    def _entry(self, path: str, *, depth: int) -> None:
        kind = os.stat(path, dir_fd=self.directory, follow_symlinks=False)
        # File systems allow names that are no text.
        is_kept = path.isprintable() and stat.S_ISREG(kind.st_mode)
        if stat.S_ISDIR(kind.st_mode) and path.isprintable() and depth < MAX_DEPTH:
            self.read(path, depth=depth + 1)
        elif is_kept and kind.st_size <= self.left and len(self.files) < MAX_FILES_BACK:
            with os.fdopen(_opened(path, self.directory, os.O_NONBLOCK), "rb") as file:
                self.files[path] = file.read(self.left)
            self.left -= len(self.files[path])
        else:
            self.is_cut = True


def _opened(path: str, directory: int, flags: int) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=directory)
