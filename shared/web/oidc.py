"""Google's OpenID Connect identity tokens: which service account is calling.

Source: Google, "Authenticate service-to-service" (Cloud Run) and "Verify push requests" (Pub/Sub): RS256 by
Google's keys, `iss` Google, `aud` the URL that is called, `email` the caller's service account.
"""

from __future__ import annotations

from typing import Any

from shared.errors import PermissionDeniedError, UnauthenticatedError
from shared.settings import Settings
from shared.web.key_set import RELOAD_SECONDS, KeySet
from shared.web.tokens import LEEWAY_SECONDS, MAX_TOKEN

ISSUERS = ("https://accounts.google.com", "accounts.google.com")


class ServiceTokens:
    """Checks identity tokens that our other functions, Pub/Sub, Eventarc and the scheduler show.

    Without SERVICE_AUDIENCE or SERVICE_ACCOUNTS no token holds.
    """

    def __init__(self, settings: Settings, *, reload_seconds: float = RELOAD_SECONDS) -> None:
        self._audiences = settings.service_audience
        self._accounts = frozenset(account.lower() for account in settings.service_accounts)
        self._keys = KeySet(settings.google_certs_url, reload_seconds=reload_seconds)

    async def account(self, token: str) -> str:
        """The service account (its e-mail, lower case) that shows the token.

        Raises:
            UnauthenticatedError: the token does not hold; does not say why, so that nobody can probe.
            PermissionDeniedError: it holds, but the account is not one of SERVICE_ACCOUNTS.
            UnavailableError: Google's keys could not be fetched.
        """
        import jwt

        if len(token) > MAX_TOKEN or not self._audiences:
            raise UnauthenticatedError("the token does not hold")
        try:
            claims = await self._claims(token)
        except (jwt.PyJWTError, ValueError) as error:
            raise UnauthenticatedError("the token does not hold") from error
        # A token for several audiences could be shown to us by another of them.
        if not isinstance(claims["aud"], str) or claims.get("email_verified") is not True:
            raise UnauthenticatedError("the token does not hold")
        account = str(claims["email"]).lower()
        if account not in self._accounts:
            raise PermissionDeniedError("this service account may not call this function")
        return account

    async def _claims(self, token: str) -> dict[str, Any]:
        import jwt

        header = jwt.get_unverified_header(token)
        # Before the keys are asked: what cannot hold makes us fetch nothing.
        if header.get("alg") != "RS256":
            raise jwt.InvalidAlgorithmError("not RS256")
        key = await self._keys.key(str(header.get("kid", "")))
        if key is None or key.algorithm_name != "RS256":
            raise jwt.InvalidKeyError("not a key for tokens")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=ISSUERS,
            audience=self._audiences,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "email"]},
        )
        return claims
