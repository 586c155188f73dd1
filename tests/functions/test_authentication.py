"""AUTH_MODE=jwt on the wire: tokens, key sets, the platform's API keys, and attacks on them."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.servers.agent import Agent, agent_server

SECRET = "planted-secret of thirty-two bytes or more"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


class Platform(BaseHTTPRequestHandler):
    """The platform's key check, and an issuer's key set."""

    revoked: ClassVar[set[str]] = set()
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        if self.path == "/jwks":
            rsa_jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY.public_key()))
            ec_jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key()))
            keys = [{**rsa_jwk, "kid": "r", "alg": "RS256"}, {**ec_jwk, "kid": "e", "alg": "ES256"}]
            self._answer(200, {"keys": keys})
            return
        key = self.headers.get("authorization", "").removeprefix("ApiKey ")
        self.asked.append(key)
        if key.startswith("good-") and key not in self.revoked:
            self._answer(200, {"success": True, "data": {"valid": True, "userId": key[5:]}})
        elif key == "broken":
            self._answer(500, {})
        else:
            self._answer(401, {"message": "Invalid API key"})

    def _answer(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def by_secret(platform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with agent_server(
        tmp_path_factory.mktemp("secret"),
        AUTH_MODE="jwt",
        JWT_SECRET=SECRET,
        JWT_ISSUER="issuer",
        JWT_AUDIENCE="agent",
        THE0_API_URL=platform,
    ) as agent:
        yield agent


@pytest.fixture(scope="module")
def by_keys(platform: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with agent_server(
        tmp_path_factory.mktemp("keys"), AUTH_MODE="jwt", JWT_SECRET=SECRET, JWT_JWKS_URL=f"{platform}/jwks"
    ) as agent:
        yield agent


def claims(**changes: Any) -> dict[str, Any]:
    full = {"sub": "ann", "exp": time.time() + 36_000, "iss": "issuer", "aud": "agent", **changes}
    return {name: value for name, value in full.items() if value is not None}


def sessions(agent: Agent, **headers: str) -> httpx.Response:
    with agent.client(**headers) as client:
        return client.get("/chat/sessions")


def bearer(agent: Agent, token: str) -> httpx.Response:
    return sessions(agent, Authorization=f"Bearer {token}")


def test_a_good_token_is_its_subject(by_secret: Agent) -> None:
    token = jwt.encode(claims(), SECRET, "HS256")
    with by_secret.client(Authorization=f"Bearer {token}") as client:
        # What the body claims is not heard.
        made = client.post("/chat", json={"message": "Hello", "session_id": "s", "user_id": "bob"})
        assert made.status_code == 200
        assert [s["id"] for s in client.get("/chat/sessions?user_id=bob").json()] == ["s"]
    other = jwt.encode(claims(sub="bob"), SECRET, "HS256")
    with by_secret.client(Authorization=f"Bearer {other}") as client:
        assert client.get("/chat/sessions").json() == []
        assert client.get("/chat/sessions/s").status_code == 404


def _unsigned(header: dict[str, Any], body: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(x).encode()).rstrip(b"=").decode() for x in (header, body)]
    return f"{parts[0]}.{parts[1]}."


BAD_TOKENS = {
    "none": _unsigned({"alg": "none", "typ": "JWT"}, claims()),
    "None": _unsigned({"alg": "None"}, claims()),
    "no signature": jwt.encode(claims(), SECRET, "HS256").rsplit(".", 1)[0] + ".",
    "other secret": jwt.encode(claims(), "another secret of thirty-two bytes!", "HS256"),
    "HS512": jwt.encode(claims(), SECRET * 2, "HS512"),
    "RS256": jwt.encode(claims(), RSA_KEY, "RS256"),
    "expired": jwt.encode(claims(exp=time.time() - 60), SECRET, "HS256"),
    "no exp": jwt.encode(claims(exp=None), SECRET, "HS256"),
    "not yet": jwt.encode(claims(nbf=time.time() + 18_000), SECRET, "HS256"),
    "no sub": jwt.encode(claims(sub=None), SECRET, "HS256"),
    "other issuer": jwt.encode(claims(iss="evil"), SECRET, "HS256"),
    "no issuer": jwt.encode(claims(iss=None), SECRET, "HS256"),
    "other audience": jwt.encode(claims(aud="platform"), SECRET, "HS256"),
    "no audience": jwt.encode(claims(aud=None), SECRET, "HS256"),
    "embedded key": jwt.encode(claims(), "x" * 32, "HS256", headers={"jwk": {"kty": "oct", "k": "eHg"}}),
    "garbage": "a.b.c",
    "long": "a" * 9000,
    "empty subject": jwt.encode(claims(sub=""), SECRET, "HS256"),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_bad_token_is_refused_without_a_reason(by_secret: Agent, name: str) -> None:
    answer = bearer(by_secret, BAD_TOKENS[name])
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert BAD_TOKENS[name] not in answer.text


def test_every_route_but_the_public_ones_asks_who_is_there(by_secret: Agent) -> None:
    with by_secret.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                answer = client.request(method, path.replace("{", "").replace("}", ""), json={"message": "x"})
                if operation["security"]:
                    assert answer.status_code in (401, 422), (method, path, answer.status_code)
                    if answer.status_code == 401:
                        assert "www-authenticate" in answer.headers
                else:
                    assert answer.status_code != 401, (method, path)


def test_keys_of_an_issuer_by_their_own_algorithm(by_keys: Agent) -> None:
    good = [
        jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "r"}),
        jwt.encode(claims(), EC_KEY, "ES256", headers={"kid": "e"}),
    ]
    for token in good:
        assert bearer(by_keys, token).status_code == 200
    public = RSA_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # The public key as an HMAC secret: PyJWT will not make it, so it is signed by hand.
    import hashlib
    import hmac

    signing = _unsigned({"alg": "HS256", "kid": "r"}, claims())[:-1]
    mac = hmac.new(public, signing.encode(), hashlib.sha256).digest()
    confused = f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    bad = [
        confused,
        jwt.encode(claims(), SECRET, "HS256"),
        jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "e"}),
        jwt.encode(claims(), RSA_KEY, "RS256"),
        jwt.encode(claims(), RSA_KEY, "RS512", headers={"kid": "r"}),
        jwt.encode(claims(), RSA_KEY, "RS256", headers={"kid": "../../dev/null"}),
    ]
    for token in bad:
        assert bearer(by_keys, token).status_code == 401


def test_the_platforms_api_keys(by_secret: Agent) -> None:
    # Other agents of this run ask the same platform.
    before = Platform.asked.count("good-kim")
    assert sessions(by_secret, Authorization="ApiKey good-kim").status_code == 200
    assert sessions(by_secret, **{"x-api-key": "good-kim"}).status_code == 200
    assert Platform.asked.count("good-kim") == before + 1, "remembered for a minute"
    assert sessions(by_secret, Authorization="ApiKey bad").status_code == 401
    down = sessions(by_secret, Authorization="ApiKey broken")
    assert (down.status_code, down.json()["code"]) == (503, "unavailable")
    assert "good-kim" not in by_secret.logs()
