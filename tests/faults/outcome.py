"""All that a turn leaves behind, in a form in which two runs of the same turn are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What users can see of a session, and what the rest of the platform is told."""

    messages: list[dict[str, Any]]
    files: dict[str, list[tuple[int, str, str]]]
    events: list[str]
    turns: int
    left_open: int


async def outcome_of(deployment: Deployment, session: str) -> Outcome:
    """Of a session whose turns have ended; the session's own name and ids are left out."""
    messages = await deployment.get(f"/chat/sessions/{session}/messages")
    listed = await deployment.get(f"/artifacts/session/{session}")
    files = {name: await _versions(deployment, session, name) for name in listed}
    return Outcome(
        messages=[_plain(message, session) for message in messages],
        files=files,
        events=await deployment.watcher.events(session),
        turns=await deployment.watcher.count("turns", session),
        left_open=await deployment.watcher.count("held_events", session),
    )


async def _versions(deployment: Deployment, session: str, name: str) -> list[tuple[int, str, str]]:
    found = []
    for version in await deployment.get(f"/artifacts/versions/{session}/{name}"):
        path = f"/artifacts/session/{session}/{name}?version={version['version']}"
        content = await deployment.get(path)
        found.append((version["version"], version["sha256"], content["content"]))
    return found


def _plain(message: dict[str, Any], session: str) -> dict[str, Any]:
    plain = {name: value for name, value in message.items() if name not in ("id", "timestamp")}
    plain["content"] = plain["content"].replace(session, "SESSION")
    if "tool_calls" in plain:
        plain["tool_calls"] = [
            {name: value for name, value in call.items() if name not in ("id", "duration_ms")}
            for call in plain["tool_calls"]
        ]
    return plain
