"""What a NATS server asks of those who come in: TLS by an authority of the test's own, users' credentials."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# nkeys ships no types.
import nkeys  # type: ignore[import-untyped]
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def tls_flags(folder: Path, name: str = "nats") -> tuple[tuple[str, ...], Path]:
    """Flags for a server with a certificate for this machine, and the file of the authority that made it."""
    authority, authority_key = _certificate(f"authority {name}", None)
    certificate, key = _certificate("localhost", (authority, authority_key))
    files = {kind: folder / f"{name}-{kind}.pem" for kind in ("ca", "cert", "key")}
    files["ca"].write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files["cert"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ("--tls", "--tlscert", str(files["cert"]), "--tlskey", str(files["key"])), files["ca"]


def credentials_flags(folder: Path) -> tuple[tuple[str, ...], Path]:
    """Flags for a server that takes users of one account by their credentials, and a file of such."""
    operator, user = _pair(nkeys.PREFIX_BYTE_OPERATOR), _pair(nkeys.PREFIX_BYTE_USER)
    # JetStream needs an account of the system's beside that of users.
    account, system = _pair(nkeys.PREFIX_BYTE_ACCOUNT), _pair(nkeys.PREFIX_BYTE_ACCOUNT)
    operator_jwt = _jwt(operator[0], operator[0], {"type": "operator", "version": 2})
    limits = {"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1}
    jetstream = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1, "wildcards": True}
    account_claims = {"type": "account", "version": 2, "limits": {**limits, **jetstream}}
    account_jwt = _jwt(operator[0], account[0], account_claims)
    system_jwt = _jwt(operator[0], system[0], {"type": "account", "version": 2, "limits": limits})
    user_jwt = _jwt(
        account[0], user[0], {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}
    )
    config = folder / "operator.conf"
    names = [pair[0].public_key.decode() for pair in (account, system)]
    config.write_text(
        f"operator: {operator_jwt}\nresolver: MEMORY\nsystem_account: {names[1]}\n"
        f"resolver_preload: {{ {names[0]}: {account_jwt}, {names[1]}: {system_jwt} }}\n"
    )
    file = folder / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user[1].decode()}\n------END USER NKEY SEED------\n"
    )
    return ("-c", str(config)), file


Identity = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _certificate(name: str, issuer: Identity | None) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternatives = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(key if issuer is None else issuer[1], hashes.SHA256())
    )
    return built, key


def _pair(prefix: int) -> tuple[Any, bytes]:
    seed = nkeys.encode_seed(os.urandom(32), prefix)
    return nkeys.from_seed(seed), bytes(seed)


def _jwt(issuer: Any, subject: Any, claims: dict[str, Any]) -> str:
    body: dict[str, Any] = {
        "iat": int(time.time()),
        "iss": issuer.public_key.decode(),
        "sub": subject.public_key.decode(),
        "name": claims["type"],
        "nats": claims,
    }
    body["jti"] = base64.b32encode(hashlib.sha256(orjson.dumps(body)).digest()).decode().rstrip("=")
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    signed = b".".join(_base64(orjson.dumps(part)) for part in (head, body))
    return (signed + b"." + _base64(issuer.sign(signed))).decode()


def _base64(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")
