"""An issuer's public keys (JWK Set, RFC 7517), fetched when they are needed and kept for a while."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from shared.errors import AppError, UnavailableError
from shared.outbound import exchange

if TYPE_CHECKING:
    from jwt import PyJWK

FRESH_SECONDS = 300.0
# A token may name a key that was added after we looked; but not every stranger's token makes us look.
RELOAD_SECONDS = 10.0
# While the source is down, who asks meanwhile is told so at once.
DOWN_SECONDS = 2.0
_TIMEOUT_SECONDS = 5.0
_MAX_BYTES = 256 * 1024


class KeySet:
    """The keys at one URL by their ids. Seconds: how long they are fresh, and how soon we look again."""

    def __init__(
        self, url: str, *, fresh_seconds: float = FRESH_SECONDS, reload_seconds: float = RELOAD_SECONDS
    ) -> None:
        self._url = url
        self._fresh_seconds = fresh_seconds
        self._reload_seconds = reload_seconds
        self._keys: dict[str, PyJWK] = {}
        self._loaded = float("-inf")
        self._down_until = float("-inf")
        self._loading = asyncio.Lock()

    async def key(self, key_id: str) -> PyJWK | None:
        """The key of that id, None when the issuer has none.

        Raises:
            UnavailableError: the keys could not be fetched, and this one is not among those we have.
        """
        if key_id not in self._keys or self._age >= self._fresh_seconds:
            await self._load(key_id)
        return self._keys.get(key_id)

    @property
    def _age(self) -> float:
        return time.monotonic() - self._loaded

    async def _load(self, key_id: str) -> None:
        async with self._loading:
            if self._age < self._reload_seconds or (self._age < self._fresh_seconds and key_id in self._keys):
                return
            try:
                if time.monotonic() < self._down_until:
                    raise UnavailableError(_UNAVAILABLE, retry_after=DOWN_SECONDS)
                self._keys = await self._fetch()
            except UnavailableError:
                # Old keys serve on while their source is down.
                if key_id not in self._keys:
                    raise
            self._loaded = time.monotonic()

    async def _fetch(self) -> dict[str, PyJWK]:
        import jwt

        try:
            answer = await exchange("GET", self._url, seconds=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES)
            if answer.status != 200:
                raise ValueError("not a key set")
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (AppError, TimeoutError, jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
            self._down_until = time.monotonic() + DOWN_SECONDS
            raise UnavailableError(_UNAVAILABLE, retry_after=5) from error
        return {key.key_id or "": key for key in keys}


_UNAVAILABLE = "the keys that tokens are checked with cannot be fetched"
