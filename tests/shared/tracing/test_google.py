"""Google's collector is sent an access token of this process's own; nobody else is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.tracing.google import session_for
from tests.servers.web_service import Asked, Said, json_answer, web_service


def key_file(folder: Path, token_url: str) -> Path:
    """A service account's key, whose tokens are given at the URL."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "key.json"
    path.write_bytes(
        orjson.dumps(
            {
                "type": "service_account",
                "client_email": "agent@project.iam.gserviceaccount.com",
                "private_key": pem.decode(),
                "token_uri": token_url,
                "project_id": "project",
            }
        )
    )
    return path


async def test_google_is_sent_a_token_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(asked: Asked) -> Said:
        if asked.path == "/token":
            return json_answer({"access_token": "an-access-token", "expires_in": 3600})
        return json_answer({})

    async with web_service(answer) as service:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path, f"{service.url}/token")))
        assert session_for("http://localhost:4318/v1/traces") is None
        assert session_for("https://googleapis.com.evil.test/v1/traces") is None
        session = session_for("https://telemetry.googleapis.com/v1/traces")
        await asyncio.to_thread(session.post, f"{service.url}/v1/traces", data=b"")
        assert service.asked[-1].headers["authorization"] == "Bearer an-access-token"
