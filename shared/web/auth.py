"""Who is calling: the user behind a request."""

from __future__ import annotations

import unicodedata

from starlette.requests import Request

from shared.errors import UnauthenticatedError, UnprocessableError
from shared.settings import Settings

DEFAULT_USER = "default-user"
_MAX_USER_ID = 256
_LEEWAY_SECONDS = 30


class Authenticator:
    """Finds the user of a request as AUTH_MODE says; one a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def user_of(self, request: Request, claimed: str | None = None) -> str:
        """The user's id. `claimed` is the body's `user_id`, heard only where AUTH_MODE is none.

        Raises:
            UnauthenticatedError: no credentials, or none that hold.
            UnprocessableError: a claimed id that cannot be one.
        """
        if self._settings.auth_mode == "none":
            return _checked(claimed or request.query_params.get("user_id") or DEFAULT_USER)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("send Authorization: Bearer with a token")
        return _checked(self._subject(token.strip()))

    def _subject(self, token: str) -> str:
        import jwt

        # The algorithm is ours by configuration, never the token's choice (RFC 8725, section 3.1).
        secret = self._settings.jwt_secret
        if secret is None:
            raise UnauthenticatedError("this server takes no such token")
        try:
            claims = jwt.decode(
                token,
                secret.get_secret_value(),
                algorithms=["HS256"],
                issuer=self._settings.jwt_issuer,
                audience=self._settings.jwt_audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "sub"], "verify_aud": self._settings.jwt_audience is not None},
            )
        except jwt.PyJWTError as error:
            raise UnauthenticatedError("the token does not hold") from error
        return str(claims["sub"])


def _checked(user_id: str) -> str:
    if not 1 <= len(user_id) <= _MAX_USER_ID or any(
        unicodedata.category(char) in ("Cc", "Cs") for char in user_id
    ):
        raise UnprocessableError(f"user_id: 1 to {_MAX_USER_ID} characters, none of them control characters")
    return user_id
