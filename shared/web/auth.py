"""Who is calling: the user behind a request, or the service."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import HTTPConnection

from shared.errors import UnauthenticatedError, UnprocessableError
from shared.settings import Settings
from shared.web.api_keys import ApiKeys
from shared.web.oidc import ServiceTokens
from shared.web.origin import is_loopback_address, is_loopback_host
from shared.web.service_token import USER_HEADER, check_service, user_of_header
from shared.web.tokens import Tokens

DEFAULT_USER = "default-user"
# The caller of a service-only route on this machine, where nobody authenticates.
LOCAL_SERVICE = "local"
_MAX_USER_ID = 256
# A proxy on this machine makes everybody's requests come from it; these tell, and pages tell by their Origin.
_NOT_DIRECT = ("forwarded", "x-forwarded-for", "x-real-ip", "via", "origin")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller shows."""

    scheme: Literal["bearer", "apikey"]
    value: str = field(repr=False)


def credential_of(headers: Mapping[str, str]) -> Credential | None:
    """The credential of `Authorization: Bearer`, `Authorization: ApiKey` or `x-api-key`."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    value = value.strip()
    if not scheme:
        key = headers.get("x-api-key", "").strip()
        return Credential("apikey", key) if key else None
    if not value:
        return None
    if scheme.lower() == "bearer":
        return Credential("bearer", value)
    return Credential("apikey", value) if scheme.lower() == "apikey" else None


class Authenticator:
    """Finds the caller of a request as AUTH_MODE and SERVICE_AUTH say; one a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = Tokens(settings)
        self._api_keys = ApiKeys(settings.the0_api_url)
        self._services = ServiceTokens(settings) if settings.service_identity == "oidc" else None

    async def user_of(self, request: HTTPConnection, claimed: str | None = None) -> str:
        """The user's id. `claimed` is the body's `user_id`, heard only where AUTH_MODE is none.

        A service that proves itself says in X-On-Behalf-Of for whom it acts.

        Raises:
            UnauthenticatedError: no credentials, or none that hold.
            PermissionDeniedError: a service account that may not call this function.
            UnprocessableError: a claimed id that cannot be one.
            UnavailableError: credentials that cannot be checked now.
        """
        named = request.headers.get(USER_HEADER)
        if named is not None and self._services is not None:
            await self.service_of(request)
            return _vouched(_named(named))
        return await self.user_by(
            credential_of(request.headers), claimed or request.query_params.get("user_id")
        )

    async def user_by(self, credential: Credential | None, claimed: str | None = None) -> str:
        """The user that a credential belongs to; raises as `user_of`."""
        if self._settings.auth_mode == "none":
            return _checked(claimed or DEFAULT_USER)
        if credential is None:
            raise UnauthenticatedError("send Authorization: Bearer with a token, or an API key")
        if credential.scheme == "bearer":
            return _vouched(await self._tokens.subject(credential.value))
        return _vouched(await self._api_keys.owner(credential.value))

    async def service_of(self, request: HTTPConnection) -> str:
        """The service that calls: its account, or a fixed word for one of our own outside the cloud.

        With SERVICE_AUTH=oidc: a Google identity token of one of SERVICE_ACCOUNTS. Else: a token signed with
        JWT_SECRET, or THE0_API_KEY as API key, or, where AUTH_MODE is none, a request made on this machine.

        Raises:
            UnauthenticatedError: none of these.
            PermissionDeniedError: a service account that may not call this function.
            UnavailableError: Google's keys could not be fetched.
        """
        credential = credential_of(request.headers)
        if self._services is not None:
            if credential is None or credential.scheme != "bearer":
                raise UnauthenticatedError("services only: send a Google identity token for this function")
            return await self._services.account(credential.value)
        if credential is None:
            if self._settings.auth_mode == "none" and _is_from_here(request):
                return LOCAL_SERVICE
            raise UnauthenticatedError("services only: send a service's token, or THE0_API_KEY")
        if credential.scheme == "bearer":
            return check_service(self._settings, credential.value)
        return self._own_key(credential.value)

    def _own_key(self, key: str) -> str:
        ours = self._settings.the0_api_key
        if ours is None or not hmac.compare_digest(
            key.encode("utf-8", "surrogatepass"), ours.get_secret_value().encode()
        ):
            raise UnauthenticatedError("services only: the API key is not this agent's own")
        return LOCAL_SERVICE


def _is_from_here(request: HTTPConnection) -> bool:
    client = request.client
    return (
        client is not None
        and is_loopback_address(client.host)
        and is_loopback_host(request.headers.get("host", ""))
        and not any(name in request.headers for name in _NOT_DIRECT)
    )


def _named(header: str) -> str:
    try:
        return user_of_header(header)
    except ValueError as error:
        raise UnauthenticatedError("the credentials name no user") from error


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
