"""A session and its user, as tests of the WebSocket begin."""

from __future__ import annotations

from tests.servers.agent import Agent
from tests.servers.gemini import GeminiServer

SERVERS = {"gateway": "infra.local.gateway", "container": "functions.chat.serve"}


def new_session(agent: Agent, user: str, session_id: str = "s") -> str:
    with agent.client() as client:
        body = {"session_id": session_id, "user_id": user}
        client.post("/chat/sessions", json=body).raise_for_status()
    return session_id


def with_gemini(gemini: GeminiServer, **variables: str) -> dict[str, str]:
    return {"GEMINI_API_KEY": gemini.api_key or "", "GEMINI_BASE_URL": gemini.url, **variables}
