"""What users say and the secrets they use stand in no line of the log, at the most talkative level."""

from __future__ import annotations

from pathlib import Path

from tests.planted import encryption_key
from tests.servers.agent import agent_server
from tests.servers.gemini import GeminiServer
from tests.servers.gemini_answers import call, reply, status
from tests.servers.sse import chat_stream


async def test_a_talkative_log_says_nothing_of_it(gemini: GeminiServer, tmp_path: Path) -> None:
    key = encryption_key()
    gemini.script(
        reply("MARK-reply", call("save_artifact", {"filename": "a.md", "content": "MARK-content"})),
        reply(call("browse_web", {"url": "https://MARK-host.example/?q=MARK-query"})),
        reply("MARK-answer"),
    )
    gemini.always(status(503))
    with (
        agent_server(
            tmp_path,
            LOG_LEVEL="DEBUG",
            ENCRYPTION_KEYS=key,
            GEMINI_API_KEY=gemini.api_key or "",
            GEMINI_BASE_URL=gemini.url,
        ) as agent,
        agent.client() as client,
    ):
        headers = {"Authorization": "Bearer MARK-token", "Idempotency-Key": "MARK-key"}
        client.headers.update(headers)
        stream = chat_stream(client, "MARK-message", session_id="s", context={"note": "MARK-context"})
        assert stream.types[-1] == "complete"
        client.headers.pop("Idempotency-Key")
        client.patch("/chat/sessions/s/context", json={"more": "MARK-patch"})
        client.put("/chat/sessions/s/title", json={"title": "MARK-title"})
        client.post("/settings/api-key", json={"api_key": "MARK-api-key"})
        client.delete("/settings/api-key")
        client.put("/artifacts/session/s/b.txt", content=b"MARK-upload")
        client.post(
            "/tools/search_documentation", json={"arguments": {"query": "MARK-search", "x": "MARK-x"}}
        )
        client.post("/chat", content=b'{"message": "MARK-broken')
        failed = client.post("/chat", json={"message": "MARK-failing", "session_id": "s"})
        assert failed.status_code == 503
        client.get("/health")
        agent.logs_with("/health")
        logs = agent.logs()
        assert "MARK" not in logs
        assert key not in logs
        stored = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("agent.db*"))
        # A file's bytes are in the object store; of what was said the database holds nothing readable.
        assert b"MARK" not in stored.replace(b"MARK-key", b"")
