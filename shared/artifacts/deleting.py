"""Objects deleted a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from shared.artifacts.port import ObjectStore

_AT_ONCE = 8


async def delete_objects(objects: ObjectStore, object_keys: Iterable[str]) -> None:
    """Deletes all of them that can be; raises the first failure when the others are done."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def delete(object_key: str) -> None:
        async with at_once:
            await objects.delete(object_key=object_key)

    done = await asyncio.gather(*map(delete, object_keys), return_exceptions=True)
    for failure in done:
        if failure is not None:
            raise failure
