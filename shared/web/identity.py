"""This service's own identity tokens, from the metadata server of the machine it runs on.

Source: Google, "Get an ID token from the metadata server". Elsewhere than in Google's cloud there is none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.clock import Clock
from shared.errors import AppError, UnavailableError
from shared.outbound import exchange

_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"
_FLAVOR = {"Metadata-Flavor": "Google"}
# The receiver may take a while, and clocks differ.
RENEW_BEFORE = timedelta(minutes=2)
_TIMEOUT_SECONDS = 3.0
_PAUSES = (0.1, 0.5)
_MAX_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    until: datetime


class IdentityTokens:
    """Identity tokens by audience, each kept until shortly before it runs out."""

    def __init__(self, *, host: str, clock: Clock) -> None:
        self._url = f"http://{host}{_PATH}"
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._fetching = asyncio.Lock()

    async def token(self, audience: str) -> str:
        """A token that tells the service at `audience` (its URL) who we are.

        Raises:
            UnavailableError: the metadata server gives none, and the one we had has run out.
        """
        held = self._held.get(audience)
        if held is None or self._clock() >= held.until - RENEW_BEFORE:
            async with self._fetching:
                held = self._held.get(audience)
                if held is None or self._clock() >= held.until - RENEW_BEFORE:
                    held = await self._renew(audience, held)
        return held.token

    async def _renew(self, audience: str, old: _Held | None) -> _Held:
        for pause in (*_PAUSES, None):
            try:
                self._held[audience] = held = await self._fetch(audience)
                return held
            except (AppError, TimeoutError, ValueError) as error:
                if pause is None:
                    if old is not None and self._clock() < old.until:
                        return old
                    raise UnavailableError(
                        "the metadata server gives no identity token", retry_after=5
                    ) from error
                await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _fetch(self, audience: str) -> _Held:
        answer = await exchange(
            "GET",
            self._url,
            seconds=_TIMEOUT_SECONDS,
            max_bytes=_MAX_BYTES,
            headers=_FLAVOR,
            parameters={"audience": audience, "format": "full"},
        )
        # What is not the metadata server may answer at its address too.
        if answer.status != 200 or answer.headers.get("metadata-flavor") != "Google":
            raise ValueError("not an identity token")
        token = answer.body.decode("ascii").strip()
        return _Held(token, _end_of(token))


def _end_of(token: str) -> datetime:
    """When the token runs out; raises ValueError when it does not say."""
    import jwt

    try:
        # Ours to show, not to check.
        claims = jwt.decode(token, options={"verify_signature": False})
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (jwt.PyJWTError, KeyError, TypeError, OverflowError, OSError) as error:
        raise ValueError("not an identity token") from error
