"""Objects as files of a local folder: written aside, synced, then linked into place create-only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from shared.artifacts.paths import key_of, local_path
from shared.errors import StoreUnavailableError
from shared.ids import new_id


class LocalObjectStore:
    """`ObjectStore` on a folder; several processes may share it."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._aside = self._root / "%aside"

    async def put(self, *, object_key: str, data: bytes) -> bool:
        return await asyncio.to_thread(self._put, object_key, data)

    async def get(self, *, object_key: str) -> bytes | None:
        return await asyncio.to_thread(self._get, object_key)

    async def delete(self, *, object_key: str) -> None:
        await asyncio.to_thread(self._delete, object_key)

    async def list_keys(self, *, prefix: str) -> AsyncIterator[str]:
        for key in await asyncio.to_thread(lambda: sorted(self._keys(prefix))):
            yield key

    async def check(self) -> None:
        await asyncio.to_thread(self._check)

    async def close(self) -> None:
        """Nothing is held open."""

    def _put(self, object_key: str, data: bytes) -> bool:
        target = local_path(self._root, object_key)
        aside = self._aside / new_id()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._aside.mkdir(parents=True, exist_ok=True)
            try:
                with aside.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                # A hard link fails when the name exists: create-only, and never a half-written file.
                os.link(aside, target)
            finally:
                aside.unlink(missing_ok=True)
        except FileExistsError:
            return False
        except OSError as error:
            raise _unavailable("write to", error) from error
        return True

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

    def _keys(self, prefix: str) -> Iterator[str]:
        for folder, names, files in os.walk(self._root):
            if self._aside.name in names:
                names.remove(self._aside.name)
            for name in files:
                key = key_of(self._root, Path(folder) / name)
                if key.startswith(prefix):
                    yield key

    def _check(self) -> None:
        try:
            self._aside.mkdir(parents=True, exist_ok=True)
            probe = self._aside / f"check-{new_id()}"
            probe.write_bytes(b"ok")
            probe.unlink()
        except OSError as error:
            raise _unavailable("write to", error) from error


def _unavailable(act: str, error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"could not {act} the artifact folder ({error.strerror})", retry_after=5)
