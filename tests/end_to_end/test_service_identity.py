"""The main job with tools in another process that knows its callers by Google's identity tokens alone."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from tests.end_to_end.test_remote_tools import build_over_http
from tests.servers.agent import agent_server
from tests.servers.google_identity import ACCOUNT, IDENTITY_PATH, google_identity
from tests.servers.ports import free_port

USERS, OTHERS = "a secret that users' tokens hold by", "another secret, of the tools function"


async def test_the_tools_function_knows_its_caller_by_oidc(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    soon = datetime.now(UTC) + timedelta(hours=1)
    users = {"authorization": f"Bearer {jwt.encode({'sub': 'alice', 'exp': soon}, USERS, 'HS256')}"}
    async with google_identity() as google:
        common = {
            "AUTH_MODE": "jwt",
            "SERVICE_AUTH": "oidc",
            "GOOGLE_CERTS_URL": google.certs_url,
            "GCE_METADATA_HOST": google.metadata_host,
            "DATA_DIR": str(tmp_path / "data"),
        }

        def story() -> None:
            with ExitStack() as stack:
                for name in ("tools", "chat"):
                    (tmp_path / name).mkdir()
                receiver = {"SERVICE_AUDIENCE": url, "SERVICE_ACCOUNTS": ACCOUNT, "JWT_SECRET": OTHERS}
                tools = stack.enter_context(
                    agent_server(tmp_path / "tools", PORT=str(port), **common, **receiver)
                )
                caller = {"TOOLS_URL": url, "JWT_SECRET": USERS}
                chat = stack.enter_context(agent_server(tmp_path / "chat", **common, **caller))
                build_over_http(chat, tools, **users)
                assert_refused(url, google.token(aud="https://chat.example"), 401)
                assert_refused(url, google.token(aud=url, email="evil@x.iam.gserviceaccount.com"), 403)
                assert_refused(url, users["authorization"].removeprefix("Bearer "), 401)
                assert (
                    httpx.get(f"{url}/tools", headers=users, trust_env=False, timeout=30).status_code == 401
                )
                logs = tools.logs() + chat.logs()
                assert "eyJ" not in logs, "no token is logged"

        await asyncio.to_thread(story)
        assert google.times_asked(IDENTITY_PATH) == 1


def assert_refused(url: str, token: str, status: int) -> None:
    headers = {"authorization": f"Bearer {token}", "x-on-behalf-of": "alice"}
    answer = httpx.get(f"{url}/artifacts/session/remote", headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == status, answer.text
