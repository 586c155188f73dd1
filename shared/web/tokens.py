"""JSON Web Tokens: whose they are, when they hold (RFC 7519, with the rules of RFC 8725)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from shared.errors import AppError, UnauthenticatedError, UnavailableError
from shared.outbound import exchange
from shared.settings import Settings

if TYPE_CHECKING:
    from jwt import PyJWK

_LEEWAY_SECONDS = 30
_KEYS_SECONDS = 300.0
# A token may name a key that was added after we looked; but not every stranger's token makes us look.
_RELOAD_SECONDS = 10.0
_TIMEOUT_SECONDS = 5.0
_MAX_TOKEN = 8192
_MAX_KEYS_BYTES = 256 * 1024


class Tokens:
    """Checks bearer tokens by JWT_JWKS_URL (RS256, ES256) when it is set, else by JWT_SECRET (HS256).

    The algorithm follows from the configuration, never from the token (RFC 8725, section 3.1).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys: dict[str, PyJWK] = {}
        self._loaded = float("-inf")
        self._loading = asyncio.Lock()

    async def subject(self, token: str) -> str:
        """The token's `sub`.

        Raises:
            UnauthenticatedError: the token does not hold; does not say why, so that nobody can probe.
            UnavailableError: the keys could not be fetched.
        """
        import jwt

        if len(token) > _MAX_TOKEN:
            raise UnauthenticatedError("the token does not hold")
        try:
            key, algorithms = await self._key_for(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": self._settings.jwt_audience is not None},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise UnauthenticatedError("the token does not hold") from error
        return str(claims["sub"])

    async def _key_for(self, token: str) -> tuple[Any, list[str]]:
        import jwt

        if self._settings.jwt_jwks_url is None:
            assert self._settings.jwt_secret is not None
            return self._settings.jwt_secret.get_secret_value(), ["HS256"]
        key_id = str(jwt.get_unverified_header(token).get("kid", ""))
        await self._load(key_id)
        key = self._keys.get(key_id)
        if key is None:
            raise jwt.InvalidKeyError("unknown key")
        # One algorithm a key, and only those meant for signing by a key pair.
        if key.algorithm_name not in ("RS256", "ES256"):
            raise jwt.InvalidKeyError("not a key for tokens")
        return key, [key.algorithm_name]

    async def _load(self, key_id: str) -> None:
        """Fetches the keys when they are old, or when one is asked for that was not there."""
        async with self._loading:
            age = time.monotonic() - self._loaded
            if age < _RELOAD_SECONDS or (age < _KEYS_SECONDS and key_id in self._keys):
                return
            try:
                self._keys = await _fetch(self._settings.jwt_jwks_url or "")
            except UnavailableError:
                # Old keys serve on while their source is down.
                if key_id not in self._keys:
                    raise
            self._loaded = time.monotonic()


async def _fetch(url: str) -> dict[str, PyJWK]:
    import jwt

    try:
        answer = await exchange("GET", url, seconds=_TIMEOUT_SECONDS, max_bytes=_MAX_KEYS_BYTES)
        if answer.status != 200:
            raise ValueError("not a key set")
        keys = jwt.PyJWKSet.from_dict(answer.json()).keys
    except (AppError, TimeoutError, jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
        raise UnavailableError(
            "the keys that tokens are checked with cannot be fetched", retry_after=5
        ) from error
    return {key.key_id or "": key for key in keys}
