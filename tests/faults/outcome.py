"""All that a turn leaves behind, in a form in which two runs of the same turn are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.deployment import Deployment
from tests.faults.heard import Heard, text_by_step
from tests.faults.script import TEXTS

_SPOKEN = [text.strip() for text in TEXTS if text]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What users can see of a session, and what the rest of the platform is told."""

    messages: list[dict[str, Any]]
    files: dict[str, list[tuple[int, str, str]]]
    events: list[str]
    turns: int
    left_open: int

    @property
    def effects(self) -> tuple[Any, ...]:
        """What does not depend on how often the turn broke off and said so."""
        calls = [message.get("tool_calls") for message in self.messages]
        events = [event for event in self.events if event != "ai.turn.completed"]
        return self.files, calls, events, self.turns, self.left_open


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


async def undisturbed(deployment: Deployment) -> tuple[Outcome, Heard]:
    """What the turn leaves when nothing happens, and what is heard of it."""
    heard = await deployment.say("calm")
    assert heard.last["type"] == "complete", heard
    outcome = await outcome_of(deployment, "calm")
    assert [len(versions) for versions in outcome.files.values()] == [2, 1]
    assert outcome.events == [
        "ai.artifact.created",
        "ai.artifact.created",
        "ai.artifact.created",
        "ai.bot.suggestion",
        "ai.turn.completed",
    ]
    return outcome, heard


def check_heard(first: Heard, rest: Heard, whole: Heard) -> None:
    """What was heard before the kill and after it is the whole stream: nothing twice, nothing missing."""
    events = [*first.events, *rest.events]
    texts = [text.strip() for text in text_by_step(events)]
    check_spoken(texts)
    for kind in ("tool_call", "tool_result", "artifacts", "complete"):
        assert _shown(events, kind) == _shown(whole.events, kind)


def check_spoken(texts: list[str]) -> None:
    """Whether these are the replies in order, but for what was heard of one before it was recorded."""
    said = 0
    for text in texts:
        if said < len(_SPOKEN) and text == _SPOKEN[said]:
            said += 1
            continue
        # Heard before, in part or whole, and asked for anew as its process died before it was recorded.
        before = _SPOKEN[max(said - 1, 0) : said + 1]
        assert any(spoken.startswith(text) for spoken in before), texts
    assert said == len(_SPOKEN), texts


def _shown(events: list[tuple[str, dict[str, Any]]], kind: str) -> list[str]:
    return sorted(str(_bare(event)) for _, event in events if event["type"] == kind)


def _bare(value: Any) -> Any:
    """Without the ids and times that no two runs share."""
    if not isinstance(value, dict):
        return value
    dropped = ("id", "turn_id", "session_id", "event_id", "duration_ms")
    return {name: _bare(inner) for name, inner in value.items() if name not in dropped}
