"""Objects as files of a local folder: written without a name, synced, then linked into place create-only."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from shared.artifacts.new_files import NewFiles
from shared.artifacts.paths import key_of, local_path
from shared.artifacts.port import CALL_SECONDS, CHECK_SECONDS, ObjectFacts, StoredObject
from shared.errors import StoreUnavailableError
from shared.ids import new_id

T = TypeVar("T")

_PAGE = 1000
# Far longer than a write takes: what lies aside for an hour was left by a process that died.
_LEFT_SECONDS = 3600.0


class LocalObjectStore:
    """`ObjectStore` on a folder; several processes may share it. It keeps nothing beside the bytes."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._aside = self._root / "%aside"
        self._files = NewFiles(self._aside)
        self._tidied = False

    async def put(self, *, object_key: str, data: bytes, about: ObjectFacts | None = None) -> bool:
        return await _bounded(lambda: self._put(object_key, data))

    async def get(self, *, object_key: str) -> bytes | None:
        return await _bounded(lambda: self._get(object_key))

    async def delete(self, *, object_key: str) -> None:
        await _bounded(lambda: self._delete(object_key))

    async def list_objects(self, *, folder: str = "") -> AsyncIterator[StoredObject]:
        found = self._objects(folder.strip("/"))
        while page := await _bounded(lambda: [item for _, item in zip(range(_PAGE), found, strict=False)]):
            for item in page:
                yield item

    async def check(self) -> None:
        await _bounded(self._check, seconds=CHECK_SECONDS)

    async def close(self) -> None:
        """Nothing is held open."""

    def _put(self, object_key: str, data: bytes) -> bool:
        try:
            self._tidy()
            return self._files.create(local_path(self._root, object_key), data)
        except OSError as error:
            raise _unavailable("write to", error) from error

    def _tidy(self) -> None:
        """Removes, once a process, what writers that died have left aside."""
        if self._tidied:
            return
        self._aside.mkdir(parents=True, exist_ok=True)
        self._tidied = True
        for left in self._aside.iterdir():
            try:
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    left.unlink()
            except FileNotFoundError:
                # Another process removed it just now.
                continue

    def _get(self, object_key: str) -> bytes | None:
        try:
            return local_path(self._root, object_key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unavailable("read from", error) from error

    def _delete(self, object_key: str) -> None:
        try:
            local_path(self._root, object_key).unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable("delete from", error) from error

    def _objects(self, folder: str) -> Iterator[StoredObject]:
        # A whole segment, and its own folder: names of a long segment begin in the same one.
        top = self._root / local_path(self._root, f"{folder}/x").parent if folder else self._root
        for place, names, files in os.walk(top):
            if self._aside.name in names:
                names.remove(self._aside.name)
            for name in files:
                path = Path(place) / name
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                yield StoredObject(
                    object_key=key_of(self._root, path),
                    size=stat.st_size,
                    modified_at=datetime.fromtimestamp(stat.st_mtime, UTC),
                )

    def _check(self) -> None:
        try:
            self._aside.mkdir(parents=True, exist_ok=True)
            probe = self._aside / f"check-{new_id()}"
            try:
                probe.write_bytes(b"ok")
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable("write to", error) from error


async def _bounded(work: Callable[[], T], seconds: float = CALL_SECONDS) -> T:
    """What the work answers in a thread; a disk that hangs holds up its thread, not the caller."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(work)
    except TimeoutError:
        raise StoreUnavailableError("the artifact folder does not answer", retry_after=5) from None


def _unavailable(act: str, error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"could not {act} the artifact folder ({error.strerror})", retry_after=5)
