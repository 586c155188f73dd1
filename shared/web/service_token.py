"""Tokens that one of our functions shows another when it acts for a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from shared.clock import Clock
from shared.settings import Settings

LIFETIME = timedelta(minutes=5)
# The caller where no user is behind a call, as for the catalogue.
SERVICE = "the0-agent"


def user_credentials(settings: Settings, clock: Clock) -> Callable[[str | None], Mapping[str, str]]:
    """What gives a user's id an Authorization header: a JWT (HS256) that lives five minutes.

    The other function checks it as any user's token: same JWT_SECRET, issuer and audience. The settings
    have a JWT_SECRET.
    """
    secret = settings.jwt_secret
    assert secret is not None
    fixed = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    fixed = {name: value for name, value in fixed.items() if value is not None}

    def headers(user_id: str | None) -> Mapping[str, str]:
        import jwt

        now = clock()
        claims = {**fixed, "sub": user_id or SERVICE, "iat": now, "exp": now + LIFETIME}
        token = jwt.encode(claims, secret.get_secret_value(), algorithm="HS256")
        return {"authorization": f"Bearer {token}"}

    return headers
