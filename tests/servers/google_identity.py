"""Google's side of service identity on loopback: the metadata server, and the keys of its tokens."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from tests.servers.web_service import Asked, Said, WebService, json_answer, web_service

ACCOUNT = "chat@project.iam.gserviceaccount.com"
ISSUER = "https://accounts.google.com"
IDENTITY_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"


@cache
def rsa_key(name: str) -> RSAPrivateKey:
    """A signing key, the same for the same name in one run."""
    return generate_private_key(65537, 2048)


@dataclass(slots=True)
class GoogleIdentity:
    """`published` are the ids of the keys in the key set; the last of them signs."""

    published: list[str] = field(default_factory=lambda: ["first"])
    down: bool = False
    lifetime: float = 3600
    service: WebService | None = None

    @property
    def certs_url(self) -> str:
        """Where the key set is."""
        assert self.service is not None
        return f"{self.service.url}/oauth2/v3/certs"

    @property
    def metadata_host(self) -> str:
        """For GCE_METADATA_HOST."""
        assert self.service is not None
        return self.service.url.removeprefix("http://")

    def times_asked(self, path: str) -> int:
        """How often a path was asked for."""
        assert self.service is not None
        return self.service.paths().count(path)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of an identity token; a change to None takes the claim out."""
        now = time.time()
        full = {
            "iss": ISSUER,
            "aud": "https://tools.example",
            "sub": "1234567890",
            "azp": "1234567890",
            "iat": now,
            "exp": now + self.lifetime,
            "email": ACCOUNT,
            "email_verified": True,
        }
        return {name: value for name, value in {**full, **changes}.items() if value is not None}

    def token(self, *, key: str | None = None, kid: str | None = None, **changes: Any) -> str:
        """A token signed by the named key, by default the newest published one under its own id."""
        key = key or self.published[-1]
        return jwt.encode(
            self.claims(**changes), rsa_key(key), "RS256", headers={"kid": key if kid is None else kid}
        )

    def answer(self, asked: Asked) -> Said:
        """The metadata server's and the key set's answers."""
        if self.down:
            return Said(status=503)
        if asked.path == IDENTITY_PATH:
            if asked.headers.get("metadata-flavor") != "Google":
                return Said(status=403)
            token = self.token(aud=asked.query["audience"])
            return Said(body=token.encode(), headers={"metadata-flavor": "Google"})
        if asked.path == "/oauth2/v3/certs":
            return json_answer({"keys": [_jwk(name) for name in self.published]})
        return Said(status=404)


@asynccontextmanager
async def google_identity() -> AsyncIterator[GoogleIdentity]:
    """Both servers on one free port until the block ends."""
    google = GoogleIdentity()
    async with web_service(google.answer) as service:
        google.service = service
        yield google


def _jwk(name: str) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**public, "kid": name, "alg": "RS256", "use": "sig"}
