"""One function calls another: the identity it fetches, and what the other makes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from starlette.requests import Request

from shared.errors import PermissionDeniedError, UnauthenticatedError, UnavailableError
from shared.settings import Settings, read_settings
from shared.web.auth import LOCAL_SERVICE, Authenticator
from shared.web.identity import IdentityTokens
from shared.web.service_token import SERVICE, SERVICE_TYPE, service_credentials, user_credentials
from tests.servers.google_identity import ACCOUNT, IDENTITY_PATH, GoogleIdentity
from tests.servers.web_service import Said, web_service

SECRET = "planted-secret of thirty-two bytes or more"
TOOLS = "https://tools.example"


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def request_with(
    headers: dict[str, str] | None = None, *, client: str | None = "127.0.0.1", query: str = ""
) -> Request:
    named = {"host": "localhost:8080", **(headers or {})}
    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": (client, 1234) if client else None,
        }
    )


def cloud(google: GoogleIdentity, **changes: str) -> Settings:
    return read_settings(
        {
            "K_SERVICE": "tools",
            "AUTH_MODE": "jwt",
            "JWT_SECRET": SECRET,
            "SERVICE_AUDIENCE": TOOLS,
            "SERVICE_ACCOUNTS": ACCOUNT,
            "GOOGLE_CERTS_URL": google.certs_url,
            "GCE_METADATA_HOST": google.metadata_host,
            **changes,
        }
    )


def self_hosted(**changes: str) -> Settings:
    return read_settings({"AUTH_MODE": "jwt", "JWT_SECRET": SECRET, **changes})


@pytest.mark.parametrize("user", ["ann", "Ünï ©ode", "a/b%2Fc,d;e", "x" * 256])
async def test_in_the_cloud_the_identity_token_vouches_for_the_user(
    google: GoogleIdentity, time: Time, user: str
) -> None:
    credentials = service_credentials(cloud(google), time, url=TOOLS + "/")
    assert credentials is not None
    headers = await credentials(user)
    claims = jwt.decode(headers["authorization"].split()[1], options={"verify_signature": False})
    assert (claims["aud"], claims["email"]) == (TOOLS, ACCOUNT)
    authenticator = Authenticator(cloud(google))
    assert await authenticator.user_of(request_with(dict(headers)), "mallory") == user
    assert await authenticator.user_of(request_with(dict(await credentials(None)))) == SERVICE


async def test_nobody_else_speaks_for_a_user(google: GoogleIdentity) -> None:
    authenticator = Authenticator(cloud(google))
    users_own = jwt.encode({"sub": "mallory", "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, "HS256")
    for headers in (
        {"x-on-behalf-of": "ann"},
        {"x-on-behalf-of": "ann", "authorization": f"Bearer {users_own}"},
        {"x-on-behalf-of": "ann", "x-api-key": "k"},
        {"x-on-behalf-of": "ann", "authorization": f"Bearer {google.token(aud='https://chat.example')}"},
        {"x-on-behalf-of": "%ff", "authorization": f"Bearer {google.token()}"},
        {"x-on-behalf-of": "", "authorization": f"Bearer {google.token()}"},
        {"authorization": f"Bearer {google.token()}"},
    ):
        with pytest.raises(UnauthenticatedError):
            await authenticator.user_of(request_with(headers))
    other = {"x-on-behalf-of": "ann", "authorization": f"Bearer {google.token(email='e@x.test')}"}
    with pytest.raises(PermissionDeniedError):
        await authenticator.user_of(request_with(other))
    assert await authenticator.user_of(request_with({"authorization": f"Bearer {users_own}"})) == "mallory", (
        "users have their own tokens still"
    )


async def test_outside_the_cloud_the_header_says_nothing(google: GoogleIdentity) -> None:
    token = jwt.encode({"sub": "bob", "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, "HS256")
    headers = {"x-on-behalf-of": "ann", "authorization": f"Bearer {token}"}
    assert await Authenticator(self_hosted()).user_of(request_with(headers)) == "bob"
    nobody = Authenticator(read_settings({}))
    assert await nobody.user_of(request_with({"x-on-behalf-of": "ann"}, query="user_id=bob")) == "bob"


async def test_a_token_is_kept_until_shortly_before_it_runs_out(google: GoogleIdentity, time: Time) -> None:
    tokens = IdentityTokens(host=google.metadata_host, clock=time)
    first = await asyncio.gather(*(tokens.token(TOOLS) for _ in range(20)))
    assert len(set(first)) == 1
    assert google.times_asked(IDENTITY_PATH) == 1
    await tokens.token("https://other.example")
    assert google.times_asked(IDENTITY_PATH) == 2, "one for each audience"
    time.now += timedelta(minutes=57)
    await tokens.token(TOOLS)
    assert google.times_asked(IDENTITY_PATH) == 2
    time.now += timedelta(minutes=2)
    await tokens.token(TOOLS)
    assert google.times_asked(IDENTITY_PATH) == 3


async def test_the_metadata_server_is_down(google: GoogleIdentity, time: Time) -> None:
    tokens = IdentityTokens(host=google.metadata_host, clock=time)
    held = await tokens.token(TOOLS)
    google.down = True
    time.now += timedelta(minutes=59)
    assert await tokens.token(TOOLS) == held, "it still holds for a minute"
    time.now += timedelta(minutes=2)
    with pytest.raises(UnavailableError) as down:
        await tokens.token(TOOLS)
    assert down.value.retry_after
    google.down = False
    assert await tokens.token(TOOLS)


@pytest.mark.parametrize(
    "said",
    [
        Said(body=b"a.b.c", headers={"metadata-flavor": "Google"}),
        Said(body=b"\xff", headers={"metadata-flavor": "Google"}),
        Said(body=jwt.encode({"sub": "x"}, SECRET, "HS256").encode(), headers={"metadata-flavor": "Google"}),
        Said(body=jwt.encode({"exp": 9e9}, SECRET, "HS256").encode()),
        Said(status=404, headers={"metadata-flavor": "Google"}),
    ],
)
async def test_what_is_not_the_metadata_server_gives_no_token(said: Said, time: Time) -> None:
    async with web_service(lambda _: said) as service:
        tokens = IdentityTokens(host=service.url.removeprefix("http://"), clock=time)
        with pytest.raises(UnavailableError):
            await tokens.token(TOOLS)


async def test_services_only_in_the_cloud(google: GoogleIdentity) -> None:
    authenticator = Authenticator(cloud(google, THE0_API_KEY="ours"))
    shown = request_with({"authorization": f"Bearer {google.token()}"})
    assert await authenticator.service_of(shown) == ACCOUNT
    own = await user_credentials(self_hosted(), lambda: datetime.now(UTC))(None)
    for headers in ({}, {"x-api-key": "ours"}, dict(own), {"authorization": "Bearer"}):
        with pytest.raises(UnauthenticatedError):
            await authenticator.service_of(request_with(headers))


async def test_services_only_self_hosted() -> None:
    authenticator = Authenticator(self_hosted(THE0_API_KEY="ours"))
    credentials = user_credentials(self_hosted(), lambda: datetime.now(UTC))
    assert await authenticator.service_of(request_with(dict(await credentials(None)))) == SERVICE
    assert await authenticator.service_of(request_with({"x-api-key": "ours"})) == LOCAL_SERVICE
    assert await authenticator.service_of(request_with({"authorization": "ApiKey ours"})) == LOCAL_SERVICE
    soon = datetime.now(UTC) + timedelta(hours=1)
    service_type = {"typ": SERVICE_TYPE}

    def token(claims: dict[str, Any], secret: str = SECRET, headers: dict[str, str] | None = None) -> str:
        return jwt.encode(claims, secret, "HS256", headers=headers)

    for headers in (
        {},
        dict(await credentials("ann")),
        {"authorization": f"Bearer {token({'sub': SERVICE, 'exp': soon})}"},
        {"authorization": f"Bearer {token({'sub': SERVICE, 'exp': soon}, 'x' * 32, service_type)}"},
        {"authorization": f"Bearer {token({'sub': SERVICE}, SECRET, service_type)}"},
        {"x-api-key": "other"},
        {"x-api-key": "oürs"},
    ):
        with pytest.raises(UnauthenticatedError):
            await authenticator.service_of(request_with(headers))
    with pytest.raises(UnauthenticatedError):
        await Authenticator(self_hosted()).service_of(request_with({"x-api-key": ""}))


async def test_services_only_where_nobody_authenticates_means_this_machine() -> None:
    authenticator = Authenticator(read_settings({}))
    assert await authenticator.service_of(request_with()) == LOCAL_SERVICE
    assert await authenticator.service_of(request_with({"host": "127.0.0.1:8080"})) == LOCAL_SERVICE
    assert await authenticator.service_of(request_with({"host": "[::1]:80"}, client="::1")) == LOCAL_SERVICE
    for elsewhere in (
        request_with(client="10.0.0.7"),
        request_with(client=None),
        request_with({"x-forwarded-for": "10.0.0.7"}),
        request_with({"forwarded": "for=10.0.0.7"}),
        request_with({"origin": "https://evil.example"}),
        request_with({"host": "evil.example"}),
        request_with({"host": "a@[::"}),
        request_with({"authorization": "Bearer x"}),
    ):
        with pytest.raises(UnauthenticatedError):
            await authenticator.service_of(elsewhere)


def test_without_anything_to_prove_nothing_is_sent(google: GoogleIdentity, time: Time) -> None:
    assert service_credentials(read_settings({}), time, url=TOOLS) is None
    assert service_credentials(self_hosted(), time, url=TOOLS) is not None
