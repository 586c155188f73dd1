"""All that an agent serves of its users, in a form in which the same state is equal."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.servers.agent import Agent
from tests.servers.sse import chat_stream

SENTENCE = (
    "Build me an RSI momentum bot for BTC/USDT on hourly candles, buy under 30, sell over 70, risk 1% a trade"
)
SESSIONS = ("first", "second")


def fill(client: httpx.Client) -> None:
    """Two sessions: a bot that was built in a turn, and files of several versions, one of them deleted."""
    assert chat_stream(client, SENTENCE, session_id="first").types[-1] == "complete"
    assert chat_stream(client, "What does the strategy do?", session_id="second").types[-1] == "complete"
    for number in range(3):
        for name in ("notes.md", "deep/er/räume.txt", "gone.txt"):
            _saved(client, "second", name, f"{name} {number}\n" * 40)
    client.delete("/artifacts/session/second/gone.txt").raise_for_status()


def everything(client: httpx.Client, sessions: tuple[str, ...] = SESSIONS) -> dict[str, Any]:
    """Sessions, messages, every version of every file, and the archives of them."""
    found: dict[str, Any] = {"sessions": _get(client, "/chat/sessions").json()}
    for session in sessions:
        found[session] = _get(client, f"/chat/sessions/{session}").json()
        files = _get(client, f"/artifacts/session/{session}").json()
        for name in files:
            for version in _get(client, f"/artifacts/versions/{session}/{name}").json():
                path = f"/artifacts/session/{session}/{name}?version={version['version']}"
                found[path] = (version, _get(client, path).json()["content"])
        if files:
            archive = _get(client, f"/artifacts/download?session_id={session}").content
            found[f"{session}.zip"] = archive
        found[f"{session} exported"] = _get(client, f"/chat/sessions/{session}/export").content
    return found


@dataclass(slots=True)
class BusySaver:
    """Somebody who saves version after version while a backup is made; `saved` are those acknowledged."""

    agent: Agent
    saved: dict[int, str] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> BusySaver:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _run(self) -> None:
        with self.agent.client() as client:
            number = 0
            while not self._stop.is_set():
                number += 1
                content = f"version {number}\n"
                version = _saved(client, "busy", "busy.txt", content)["version"]
                self.saved[version] = content


def begin_busy(client: httpx.Client) -> None:
    """The session that a BusySaver saves in."""
    client.post("/chat/sessions", json={"session_id": "busy"}).raise_for_status()


def _saved(client: httpx.Client, session: str, name: str, content: str) -> dict[str, Any]:
    answer = client.put(f"/artifacts/session/{session}/{name}", json={"content": content})
    answer.raise_for_status()
    saved: dict[str, Any] = answer.json()
    return saved


def _get(client: httpx.Client, path: str) -> httpx.Response:
    return client.get(path).raise_for_status()
