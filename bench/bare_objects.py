"""What `bench.objects` measures the library by: a store's bare client, and the least a save can do."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from shared.artifacts.compression import CONTENT_ENCODING, compress
from shared.artifacts.port import ObjectFacts
from shared.artifacts.select import open_objects
from shared.ids import new_id
from shared.settings import read_settings

Save = Callable[[int], Awaitable[object]]

SIZE = 10_000


def code(number: int) -> bytes:
    """10 KB that compress as code does, to about a third, and are never the same twice."""
    noise = os.urandom(SIZE // 4).hex().encode()
    return (b"# %d\n" % number + noise + b"    return self.price * self.size\n" * 200)[:SIZE]


@asynccontextmanager
async def bare_saves(kind: str, variables: dict[str, str], folder: Path) -> AsyncIterator[Save]:
    """The client alone, creating an object of the same bytes; of a folder, a synced file."""
    if kind == "s3":
        import obstore
        from obstore.store import S3Store

        store = S3Store(
            variables["ARTIFACT_BUCKET"],
            endpoint=variables["MINIO_ENDPOINT"],
            access_key_id=variables["MINIO_ACCESS_KEY"],
            secret_access_key=variables["MINIO_SECRET_KEY"],
            region="us-east-1",
            client_options={"allow_http": True},
        )
        yield lambda n: obstore.put_async(store, f"bare/{new_id()}", compress(code(n)), mode="create")
    elif kind == "gcs":
        # The package has no type marker; mypy words that by what else it reads.
        from google.cloud import storage  # type: ignore[attr-defined,import-untyped,unused-ignore]

        bucket = storage.Client().bucket(variables["ARTIFACT_BUCKET"])

        def upload(number: int) -> None:
            blob = bucket.blob(f"bare/{new_id()}")
            blob.upload_from_string(compress(code(number)), if_generation_match=0)

        yield lambda n: asyncio.to_thread(upload, n)
    else:

        def write(number: int) -> None:
            with (folder / new_id()).open("xb") as file:
                file.write(compress(code(number)))
                file.flush()
                os.fsync(file.fileno())

        yield lambda n: asyncio.to_thread(write, n)


class _Records:
    """Records and events of versions in a SQLite file, written by the driver itself, a transaction each."""

    def __init__(self, path: Path) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "CREATE TABLE versions (object_key TEXT PRIMARY KEY, sha256 TEXT, size INTEGER)",
            "CREATE TABLE outbox (sequence INTEGER PRIMARY KEY, event_id TEXT UNIQUE, object_key TEXT)",
        ):
            self._conn.execute(statement)

    def add(self, place: str, sha256: str) -> None:
        """One version and its event."""
        with self._lock:
            self._conn.execute("BEGIN IMMEDIATE")
            self._conn.execute("INSERT INTO versions VALUES (?, ?, ?)", (place, sha256, SIZE))
            self._conn.execute("INSERT INTO outbox VALUES (NULL, ?, ?)", (new_id(), place))
            self._conn.execute("COMMIT")

    def close(self) -> None:
        """Closes the file."""
        self._conn.close()


@asynccontextmanager
async def least_saves(variables: dict[str, str], folder: Path) -> AsyncIterator[Save]:
    """What no save can do without: the object as artifacts are kept, its record and its event."""
    objects = open_objects(read_settings(variables))
    records = _Records(folder / "least.db")

    async def save(number: int) -> None:
        data = code(number)
        sha256 = hashlib.sha256(data).hexdigest()
        about = ObjectFacts(
            content_type="text/x-python",
            content_encoding=CONTENT_ENCODING,
            facts={"sha256": sha256, "size": str(len(data))},
        )
        place = f"artifacts/least/{number % 400}.py/{new_id()}"
        await objects.put(object_key=place, data=compress(data), about=about)
        await asyncio.to_thread(records.add, place, sha256)

    yield save
    records.close()
    await objects.close()
