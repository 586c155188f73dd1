"""What is asked of a cache that all instances share."""

from __future__ import annotations

from typing import Protocol


class SharedCache(Protocol):
    """Bytes kept for a while; what is lost, late, foreign or forged is as good as absent. Nothing raises."""

    async def get(self, *, key: tuple[str, ...]) -> bytes | None:
        """What was put under exactly this key; None when it is not there or cannot be had quickly."""
        ...

    async def drop(self, *, key: tuple[str, ...]) -> None:
        """Forgets it, if it can; else it goes when its time is over."""
        ...

    async def put(self, *, key: tuple[str, ...], value: bytes, seconds: float) -> None:
        """Keeps it for that long, if it can; what is too long is not kept."""
        ...
