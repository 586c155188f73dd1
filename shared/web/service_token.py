"""How one of our functions proves itself to another, and says for which user it acts.

In the cloud (`SERVICE_AUTH=oidc`): `Authorization: Bearer` with a Google identity token for the receiver's
URL, and the user in `X-On-Behalf-Of`. Cloud Run checks such a token and hands it on as it is; of one in
X-Serverless-Authorization it removes the signature, so that the function itself could check nothing.
Self-hosted: a JWT (HS256) with JWT_SECRET, whose `sub` is the user; its header's `typ` tells it from the
tokens of users.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from urllib.parse import quote, unquote

from shared.clock import Clock
from shared.errors import UnauthenticatedError
from shared.settings import Settings
from shared.web.identity import IdentityTokens
from shared.web.tokens import MAX_TOKEN, decoded_by_secret

LIFETIME = timedelta(minutes=5)
# The caller where no user is behind a call, as for the catalogue.
SERVICE = "the0-agent"
SERVICE_TYPE = "the0-service+jwt"
USER_HEADER = "x-on-behalf-of"

# The user (None for the service itself) -> headers that prove who is calling.
Credentials = Callable[[str | None], Awaitable[Mapping[str, str]]]


def service_credentials(settings: Settings, clock: Clock, *, url: str) -> Credentials | None:
    """What proves us to our function at `url`; None where nothing has to be proved (AUTH_MODE none).

    The returned function raises UnavailableError when there is no identity token to be had.
    """
    if settings.service_identity == "oidc":
        tokens = IdentityTokens(host=settings.gce_metadata_host, clock=clock)
        return _by_identity(tokens, url.rstrip("/"))
    return user_credentials(settings, clock) if settings.auth_mode == "jwt" else None


def user_credentials(settings: Settings, clock: Clock) -> Credentials:
    """What gives a user's id an Authorization header: a JWT (HS256) that lives five minutes.

    The other function checks it as any user's token: same JWT_SECRET, issuer and audience. The settings
    have a JWT_SECRET.
    """
    secret = settings.jwt_secret
    assert secret is not None
    fixed = {"iss": settings.jwt_issuer, "aud": settings.jwt_audience}
    fixed = {name: value for name, value in fixed.items() if value is not None}

    async def headers(user_id: str | None) -> Mapping[str, str]:
        import jwt

        now = clock()
        claims = {**fixed, "sub": user_id or SERVICE, "iat": now, "exp": now + LIFETIME}
        token = jwt.encode(
            claims, secret.get_secret_value(), algorithm="HS256", headers={"typ": SERVICE_TYPE}
        )
        return {"authorization": f"Bearer {token}"}

    return headers


def check_service(settings: Settings, token: str) -> str:
    """SERVICE, when the token is one that `user_credentials` made for a call without a user.

    Raises:
        UnauthenticatedError: it is not, or there is no JWT_SECRET.
    """
    import jwt

    if len(token) > MAX_TOKEN:
        raise UnauthenticatedError("the token does not hold")
    try:
        found = decoded_by_secret(settings, token)
    except (jwt.PyJWTError, ValueError) as error:
        raise UnauthenticatedError("the token does not hold") from error
    # A user of that name has tokens of users (RFC 8725, section 3.11).
    if found["header"].get("typ") != SERVICE_TYPE or found["payload"]["sub"] != SERVICE:
        raise UnauthenticatedError("services only: this is a user's token")
    return SERVICE


def _by_identity(tokens: IdentityTokens, audience: str) -> Credentials:
    async def headers(user_id: str | None) -> Mapping[str, str]:
        token = await tokens.token(audience)
        user = SERVICE if user_id is None else user_id
        return {"authorization": f"Bearer {token}", USER_HEADER: on_behalf_of(user)}

    return headers


def on_behalf_of(user_id: str) -> str:
    """A user's id as a header's value: percent-encoded UTF-8."""
    return quote(user_id, safe="", errors="surrogatepass")


def user_of_header(value: str) -> str:
    """The user's id that `on_behalf_of` wrote."""
    return unquote(value, errors="surrogatepass")
