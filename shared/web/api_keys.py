"""The platform's API keys: checked with the platform, remembered for a minute."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from shared.errors import AppError, UnauthenticatedError, UnavailableError
from shared.outbound import exchange

_REMEMBER_SECONDS = 60.0
_MAX_REMEMBERED = 10_000
_TIMEOUT_SECONDS = 10.0
_MAX_KEY = 512
_MAX_ANSWER_BYTES = 64 * 1024


class ApiKeys:
    """Asks `GET {THE0_API_URL}/auth/validate-api-key` whose a key is.

    The platform answers `{"success": true, "data": {"valid": true, "userId": …}}`, or 401. Keys are
    remembered by their hash, so that none is held in memory longer than its request.
    """

    def __init__(self, api_url: str | None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._url = f"{api_url.rstrip('/')}/auth/validate-api-key" if api_url else None
        self._known: OrderedDict[str, tuple[float, str | None]] = OrderedDict()

    async def owner(self, key: str) -> str:
        """The user the key belongs to.

        Raises:
            UnauthenticatedError: the platform does not know the key, or there is no platform to ask.
            UnavailableError: the platform did not answer.
        """
        if self._url is None or not key.isascii() or not key.isprintable() or len(key) > _MAX_KEY:
            raise UnauthenticatedError("the API key does not hold")
        digest = hashlib.sha256(key.encode()).hexdigest()
        remembered = self._known.get(digest)
        if remembered is None or self._monotonic() - remembered[0] >= _REMEMBER_SECONDS:
            remembered = (self._monotonic(), await self._ask(self._url, key))
            self._known[digest] = remembered
            self._known.move_to_end(digest)
            if len(self._known) > _MAX_REMEMBERED:
                self._known.popitem(last=False)
        if remembered[1] is None:
            raise UnauthenticatedError("the API key does not hold")
        return remembered[1]

    @staticmethod
    async def _ask(url: str, key: str) -> str | None:
        try:
            answer = await exchange(
                "GET",
                url,
                seconds=_TIMEOUT_SECONDS,
                max_bytes=_MAX_ANSWER_BYTES,
                headers={"Authorization": f"ApiKey {key}"},
            )
            if answer.status in (401, 403):
                return None
            if answer.status != 200:
                raise ValueError("not a verdict")
            return _user_of(answer.json())
        except (AppError, TimeoutError, ValueError) as error:
            raise UnavailableError("the platform cannot say whose this API key is", retry_after=5) from error


def _user_of(answer: Any) -> str | None:
    data = answer.get("data") if isinstance(answer, dict) and answer.get("success") is True else None
    if not isinstance(data, dict) or data.get("valid") is not True or not data.get("userId"):
        return None
    return str(data["userId"])
