"""What a request that reaches the platform brings with it: the user's own credential, and its key."""

from __future__ import annotations

from starlette.requests import Request

from shared.errors import UnprocessableError
from shared.web.auth import credential_of
from shared.web.service_token import USER_HEADER

_MAX_KEY = 255


def own_authorization(request: Request) -> str | None:
    """The user's own credential, for the platform; None where a service calls for the user."""
    if USER_HEADER in request.headers:
        return None
    credential = credential_of(request.headers)
    if credential is None:
        return None
    scheme = "Bearer" if credential.scheme == "bearer" else "ApiKey"
    return f"{scheme} {credential.value}"


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key`, None when there is none; raises UnprocessableError for one of another length."""
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= _MAX_KEY:
        raise UnprocessableError(f"Idempotency-Key: 1 to {_MAX_KEY} characters")
    return key
