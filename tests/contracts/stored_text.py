"""All that a database holds, as bytes, whatever it is: what a search for somebody's traces reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

_ROOT = Path(__file__).resolve().parents[2]


async def text_at_rest(store_url: str) -> bytes:
    """SQLite's files, every row of every table of Postgres, every document of Firestore with its id."""
    if store_url.startswith("sqlite"):
        path = Path(store_url.partition("///")[2])
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
    if store_url.startswith("firestore"):
        return b"\n".join(await _documents(store_url))
    conn = await asyncpg.connect(store_url)
    try:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for (name,) in tables for row in await conn.fetch(f'SELECT * FROM "{name}"')]
    finally:
        await conn.close()
    return b"\n".join(_bytes_of(value) for row in rows for value in row)


async def _documents(store_url: str) -> list[bytes]:
    from google.cloud.firestore_v1.async_client import AsyncClient

    # The emulator lists no collections: these are all that the deployed indexes know, and one without any.
    declared = json.loads((_ROOT / "infra" / "firestore.indexes.json").read_text())
    names = {each["collectionGroup"] for each in declared["fieldOverrides"]} | {"work_places"}
    client = AsyncClient(project=store_url.split("/")[2])
    found = []
    for name in sorted(names):
        async for document in client.collection(name).stream():
            found.append(f"{name}/{document.id}".encode())
            found += [_bytes_of(value) for value in _leaves(document.to_dict())]
    await client._firestore_api.transport.close()
    return found


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in (key, *_leaves(each))]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    return [value]


def _bytes_of(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
