"""JSON Web Tokens of users: whose they are, when they hold (RFC 7519, with the rules of RFC 8725)."""

from __future__ import annotations

from typing import Any

from shared.errors import UnauthenticatedError
from shared.settings import Settings
from shared.web.key_set import KeySet

LEEWAY_SECONDS = 30
MAX_TOKEN = 8192


class Tokens:
    """Checks bearer tokens by JWT_JWKS_URL (RS256, ES256) when it is set, else by JWT_SECRET (HS256).

    The algorithm follows from the configuration, never from the token (RFC 8725, section 3.1).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._keys = KeySet(settings.jwt_jwks_url) if settings.jwt_jwks_url else None

    async def subject(self, token: str) -> str:
        """The token's `sub`.

        Raises:
            UnauthenticatedError: the token does not hold; does not say why, so that nobody can probe.
            UnavailableError: the keys could not be fetched.
        """
        import jwt

        if len(token) > MAX_TOKEN:
            raise UnauthenticatedError("the token does not hold")
        try:
            key, algorithms = await self._key_for(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": self._settings.jwt_audience is not None},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise UnauthenticatedError("the token does not hold") from error
        return str(claims["sub"])

    async def _key_for(self, token: str) -> tuple[Any, list[str]]:
        import jwt

        if self._keys is None:
            if self._settings.jwt_secret is None:
                raise jwt.InvalidKeyError("no key for tokens")
            return self._settings.jwt_secret.get_secret_value(), ["HS256"]
        key = await self._keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
        # One algorithm a key, and only those meant for signing by a key pair.
        if key is None or key.algorithm_name not in ("RS256", "ES256"):
            raise jwt.InvalidKeyError("not a key for tokens")
        return key, [key.algorithm_name]
