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
            if self._keys is None:
                claims = decoded_by_secret(self._settings, token)["payload"]
            else:
                key, algorithms = await self._key_for(token, self._keys)
                claims = _decoded(self._settings, token, key, algorithms)["payload"]
        except (jwt.PyJWTError, ValueError) as error:
            raise UnauthenticatedError("the token does not hold") from error
        return str(claims["sub"])

    @staticmethod
    async def _key_for(token: str, keys: KeySet) -> tuple[Any, list[str]]:
        import jwt

        key = await keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
        # One algorithm a key, and only those meant for signing by a key pair.
        if key is None or key.algorithm_name not in ("RS256", "ES256"):
            raise jwt.InvalidKeyError("not a key for tokens")
        return key, [key.algorithm_name]


def decoded_by_secret(settings: Settings, token: str) -> dict[str, Any]:
    """Header and payload of a token that JWT_SECRET has signed, or JWT_SECOND_SECRET.

    Raises:
        jwt.PyJWTError: it holds by neither.
    """
    import jwt

    for secret in settings.jwt_secrets:
        try:
            return _decoded(settings, token, secret, ["HS256"])
        except jwt.InvalidSignatureError:
            continue
    raise jwt.InvalidKeyError("no key for this token")


def _decoded(settings: Settings, token: str, key: Any, algorithms: list[str]) -> dict[str, Any]:
    import jwt

    found: dict[str, Any] = jwt.decode_complete(
        token,
        key,
        algorithms=algorithms,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "sub"], "verify_aud": settings.jwt_audience is not None},
    )
    return found
