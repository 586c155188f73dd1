"""Google's identity tokens: which hold, and what is tried against them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from shared.errors import PermissionDeniedError, UnauthenticatedError, UnavailableError
from shared.settings import Settings, read_settings
from shared.web.oidc import ServiceTokens
from tests.servers.google_identity import ACCOUNT, GoogleIdentity, rsa_key

AUDIENCE = "https://tools.example"


def settings_of(google: GoogleIdentity, **changes: str) -> Settings:
    return read_settings(
        {
            "SERVICE_AUTH": "oidc",
            "SERVICE_AUDIENCE": AUDIENCE,
            "SERVICE_ACCOUNTS": f"{ACCOUNT}, push@project.iam.gserviceaccount.com",
            "GOOGLE_CERTS_URL": google.certs_url,
            **changes,
        }
    )


@pytest.fixture
def tokens(google: GoogleIdentity) -> ServiceTokens:
    return ServiceTokens(settings_of(google))


async def test_a_good_token_names_its_account(google: GoogleIdentity, tokens: ServiceTokens) -> None:
    assert await tokens.account(google.token()) == ACCOUNT
    assert await tokens.account(google.token(iss="accounts.google.com")) == ACCOUNT
    assert await tokens.account(google.token(email=ACCOUNT.upper())) == ACCOUNT
    late = google.token(iat=time.time() - 600, exp=time.time() - 20)
    assert await tokens.account(late) == ACCOUNT, "clocks differ by less than 30 s"
    assert google.times_asked("/oauth2/v3/certs") == 1


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None = None) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode() for x in (header, claims)]
    signing = ".".join(parts)
    mac = b"" if secret is None else hmac.new(secret, signing.encode(), hashlib.sha256).digest()
    return f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _public(name: str) -> bytes:
    return (
        rsa_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _tampered(google: GoogleIdentity) -> str:
    head, _, mac = google.token().split(".")
    body = google.token(email="push@project.iam.gserviceaccount.com").split(".")[1]
    return f"{head}.{body}.{mac}"


BAD: dict[str, Callable[[GoogleIdentity], str]] = {
    "other audience": lambda g: g.token(aud="https://chat.example"),
    "no audience": lambda g: g.token(aud=None),
    "several audiences": lambda g: g.token(aud=[AUDIENCE, "https://evil.example"]),
    "audience that begins so": lambda g: g.token(aud=AUDIENCE + ".evil.example"),
    "other issuer": lambda g: g.token(iss="https://accounts.evil.example"),
    "no issuer": lambda g: g.token(iss=None),
    "expired": lambda g: g.token(iat=time.time() - 4000, exp=time.time() - 31),
    "no end": lambda g: g.token(exp=None),
    "not yet valid": lambda g: g.token(nbf=time.time() + 60),
    "made in the future": lambda g: g.token(iat=time.time() + 60),
    "other signer": lambda g: g.token(key="other", kid="first"),
    "unknown key": lambda g: g.token(key="other"),
    "no key id": lambda g: g.token(kid=""),
    "unverified e-mail": lambda g: g.token(email_verified=False),
    "e-mail verified in words": lambda g: g.token(email_verified="true"),
    "e-mail not said to be verified": lambda g: g.token(email_verified=None),
    "no e-mail": lambda g: g.token(email=None),
    "tampered": _tampered,
    "signature cut off": lambda g: g.token().rsplit(".", 1)[0] + ".",
    "signature removed": lambda g: g.token().rsplit(".", 1)[0] + ".SIGNATURE_REMOVED_BY_GOOGLE",
    "alg none": lambda g: _by_hand({"alg": "none", "kid": "first"}, g.claims()),
    "alg None": lambda g: _by_hand({"alg": "None", "kid": "first"}, g.claims()),
    "public key as a secret": lambda g: _by_hand(
        {"alg": "HS256", "kid": "first"}, g.claims(), _public("first")
    ),
    "RS512": lambda g: jwt.encode(g.claims(), rsa_key("first"), "RS512", headers={"kid": "first"}),
    "own key in the header": lambda g: jwt.encode(
        g.claims(), rsa_key("other"), "RS256", headers={"jwk": {"kty": "oct", "k": "eHg"}}
    ),
    "keys elsewhere": lambda g: jwt.encode(
        g.claims(), rsa_key("other"), "RS256", headers={"jku": "http://evil.example/keys", "kid": "other"}
    ),
    "critical header": lambda g: jwt.encode(
        g.claims(), rsa_key("first"), "RS256", headers={"kid": "first", "crit": ["b64"]}
    ),
    "garbage": lambda g: "a.b.c",
    "long": lambda g: "a" * 9000,
    "empty": lambda g: "",
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_token_is_refused_without_a_reason(
    google: GoogleIdentity, tokens: ServiceTokens, name: str
) -> None:
    with pytest.raises(UnauthenticatedError) as refused:
        await tokens.account(BAD[name](google))
    assert refused.value.message == "the token does not hold"


async def test_an_account_that_is_not_listed_may_not_call(
    google: GoogleIdentity, tokens: ServiceTokens
) -> None:
    for email in ("evil@other.iam.gserviceaccount.com", f"x{ACCOUNT}", f"{ACCOUNT}.evil.example"):
        with pytest.raises(PermissionDeniedError):
            await tokens.account(google.token(email=email))


async def test_without_audience_or_accounts_nobody_may(google: GoogleIdentity) -> None:
    with pytest.raises(UnauthenticatedError):
        await ServiceTokens(settings_of(google, SERVICE_AUDIENCE="")).account(google.token())
    with pytest.raises(PermissionDeniedError):
        await ServiceTokens(settings_of(google, SERVICE_ACCOUNTS="")).account(google.token())


async def test_keys_are_rotated(google: GoogleIdentity) -> None:
    tokens = ServiceTokens(settings_of(google), reload_seconds=0)
    old = google.token()
    assert await tokens.account(old) == ACCOUNT
    google.published = ["first", "second"]
    assert await tokens.account(google.token()) == ACCOUNT
    assert await tokens.account(old) == ACCOUNT, "the old key is published still"
    google.published = ["second"]
    with pytest.raises(UnauthenticatedError):
        await tokens.account(google.token(key="third"))
    with pytest.raises(UnauthenticatedError):
        await tokens.account(old)


async def test_strangers_tokens_do_not_make_us_ask_again_and_again(
    google: GoogleIdentity, tokens: ServiceTokens
) -> None:
    for number in range(20):
        with pytest.raises(UnauthenticatedError):
            await tokens.account(google.token(key="other", kid=f"k{number}"))
    assert google.times_asked("/oauth2/v3/certs") == 1


async def test_while_google_is_down_known_keys_serve_and_unknown_ones_are_unavailable(
    google: GoogleIdentity,
) -> None:
    tokens = ServiceTokens(settings_of(google), reload_seconds=0)
    assert await tokens.account(google.token()) == ACCOUNT
    google.down = True
    assert await tokens.account(google.token()) == ACCOUNT
    google.published = ["first", "second"]
    for _ in range(5):
        with pytest.raises(UnavailableError) as down:
            await tokens.account(google.token())
        assert down.value.retry_after
    assert google.times_asked("/oauth2/v3/certs") == 2, "one try while it is down"
