"""Values for the session store's contract: turns, steps and artifacts with every field set."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.artifact import Artifact
from shared.ids import new_id
from shared.keys import ArtifactKey, SessionKey
from shared.messages import TextPart, ToolCall, ToolFault, ToolResult, Usage
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import Store
from shared.sessions.turn_port import BegunTurn, Lease, NewTurn
from shared.turn import FinalStep, ModelStep, Step, ToolStep, TurnRequest

LEASE_SECONDS = 60.0

# What clients send: other scripts, NUL, half a surrogate pair, our own escape sign, an emoji.
ODD = "Ünï\x00c\ud800\\0000 \U0001f916\u202e"

CALL = ToolCall(id="call-1", name="save_artifact", arguments={"filename": ODD, "n": 2**70}, signature="s==")
MODEL = ModelStep(
    parts=(TextPart(text="I will save " + ODD, signature="t=="), CALL),
    finish_reason="tool_calls",
    usage=Usage(input_tokens=12, output_tokens=3),
    model="gemini-2.5-flash",
)
TOOL = ToolStep(
    result=ToolResult(
        id="call-1",
        name="save_artifact",
        status="ok",
        result={"lines": [1, 2.5, None, True]},
        duration_ms=7,
        artifacts=("main.py",),
        untrusted=True,
    ),
    filenames=("main.py", "README.md"),
)
FAULT = ToolStep(
    result=ToolResult(
        id="call-2",
        name="browse_web",
        status="error",
        error=ToolFault(code="timeout", message="try later", retryable=True),
    )
)
DONE = ModelStep(parts=(TextPart(text="Done."),), finish_reason="stop", usage=Usage(), model="m")
COMPLETED = FinalStep(status="completed", finish_reason="stop")
FAILED = FinalStep(
    status="failed", finish_reason="error", error="no", code="model_unavailable", retryable=True
)


class SetClock:
    """A clock that stands where the test puts it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> datetime:
        """Moves on and gives the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


def session_key(user_id: str = "alice", session_id: str = "s-1") -> SessionKey:
    """A key; the same one each time."""
    return SessionKey(user_id=user_id, session_id=session_id)


def new_turn(key: SessionKey, now: datetime, **changes: Any) -> NewTurn:
    """What begin_turn takes, with a fresh turn id."""
    turn = NewTurn(
        key=key,
        turn_id=new_id(),
        request=TurnRequest(message="Build a bot", context={"a": 1}, model="m"),
        prompt_version="p1",
        now=now,
        lease_seconds=LEASE_SECONDS,
        default_title="Build a bot",
        history_messages=100,
    )
    return replace(turn, **changes)


def event(event_id: str = "e-1") -> OutgoingEvent:
    """An event with a body."""
    return OutgoingEvent(event_id=event_id, type="ai.turn.completed", data={"text": ODD})


async def run_turn(
    store: Store, key: SessionKey, now: datetime, steps: tuple[Step, ...] = (DONE,)
) -> BegunTurn:
    """A turn from its beginning to its completed end."""
    begun = await store.begin_turn(new=new_turn(key, now))
    await store.finish_turn(lease=held(begun), number=1, steps=(*steps, COMPLETED), now=now)
    return begun


def held(begun: BegunTurn) -> Lease:
    """The lease of a turn that may run."""
    assert begun.lease is not None
    return begun.lease


def artifact(key: SessionKey, now: datetime, filename: str = "main.py", version: int = 1) -> Artifact:
    """The record of one version, its bytes at a place of their own."""
    return Artifact(
        key=ArtifactKey(session=key, filename=filename),
        version=version,
        type="bot_code",
        mime_type="text/x-python",
        size=3_000_000_000,
        sha256="0" * 64,
        created_at=now,
        object_key=f"artifacts/{key.session_id}/{filename}/{version}-{new_id()}",
        quality_score=90,
        findings=({"rule": "B101", "line": 3},),
    )
