"""Who is calling: the user behind a request."""

from __future__ import annotations

import unicodedata

from starlette.requests import Request

from shared.errors import UnauthenticatedError, UnprocessableError
from shared.settings import Settings
from shared.web.api_keys import ApiKeys
from shared.web.tokens import Tokens

DEFAULT_USER = "default-user"
_MAX_USER_ID = 256


class Authenticator:
    """Finds the user of a request as AUTH_MODE says; one a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._api_keys = ApiKeys(settings.the0_api_url)

    async def user_of(self, request: Request, claimed: str | None = None) -> str:
        """The user's id. `claimed` is the body's `user_id`, heard only where AUTH_MODE is none.

        Raises:
            UnauthenticatedError: no credentials, or none that hold.
            UnprocessableError: a claimed id that cannot be one.
            UnavailableError: credentials that cannot be checked now.
        """
        if self._settings.auth_mode == "none":
            return _checked(claimed or request.query_params.get("user_id") or DEFAULT_USER)
        scheme, _, credential = request.headers.get("authorization", "").strip().partition(" ")
        credential = credential.strip()
        if scheme.lower() == "bearer" and credential:
            return _vouched(await self._tokens.subject(credential))
        if scheme.lower() != "apikey":
            credential = request.headers.get("x-api-key", "").strip() if not scheme else ""
        if not credential:
            raise UnauthenticatedError("send Authorization: Bearer with a token, or an API key")
        return _vouched(await self._api_keys.owner(credential))


def _checked(user_id: str) -> str:
    if not _can_be_one(user_id):
        raise UnprocessableError(f"user_id: 1 to {_MAX_USER_ID} characters, none of them control characters")
    return user_id


def _vouched(user_id: str) -> str:
    if not _can_be_one(user_id):
        raise UnauthenticatedError("the credentials name no user")
    return user_id


def _can_be_one(user_id: str) -> bool:
    return 1 <= len(user_id) <= _MAX_USER_ID and not any(
        unicodedata.category(char) in ("Cc", "Cs") for char in user_id
    )
