"""All that users can give to a store, each piece with a mark of its own, and how a mark may look at rest."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from shared.keys import SessionKey
from shared.messages import TextPart, ToolCall, ToolFault, ToolResult, Usage
from shared.session import Summary
from shared.sessions.deployment_port import NewDeployment
from shared.sessions.outbox_port import OutgoingEvent
from shared.sessions.port import Store
from shared.sessions.tool_call_port import NewToolCall, ToolClaim
from shared.turn import ApprovalStep, FinalStep, ModelStep, Step, ToolStep, TurnRequest
from tests.contracts.bot_values import crash, letter, log_line, to
from tests.contracts.session_values import LEASE_SECONDS, SetClock, artifact, held, new_turn

KEY = SessionKey(user_id="alice", session_id="s-planted")


@dataclass
class Marks:
    """The marks that were planted: each names its place, and holds letters that JSON may escape."""

    given: list[str] = field(default_factory=list)

    def __call__(self, place: str) -> str:
        """A new mark."""
        digits = zlib.crc32(place.encode())
        mark = f"Geheimnis-{place}-{digits:010d}-für-niemand"
        assert mark not in self.given
        self.given.append(mark)
        return mark


def forms(mark: str) -> tuple[bytes, ...]:
    """The bytes by which a mark would be found, however it was encoded."""
    text = mark.encode()
    found = [text, mark.encode("utf-16-le"), text.hex().encode(), text.hex().upper().encode()]
    found.append(json.dumps(mark)[1:-1].encode())
    # The parts without a letter that encodings disagree about, in each position base64 knows.
    core = mark.partition("ü")[0].encode()
    found.append(core)
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + core)
        inner = coded[4 if shift else 0 : len(coded) - 4]
        found += [inner, inner.translate(bytes.maketrans(b"+/", b"-_"))]
    return tuple(found)


def found_marks(stored: bytes, marks: Marks) -> set[str]:
    """The marks that can be read in the bytes."""
    return {mark for mark in marks.given if any(form in stored for form in forms(mark))}


async def plant(store: Store, clock: SetClock, *, key: SessionKey = KEY) -> Marks:
    """Fills the store through every method that takes what users, models or tools say."""
    marks = Marks()
    await store.create_session(
        key=key, title=marks("title"), context={marks("context-name"): marks("context")}, now=clock.now
    )
    await store.patch_context(key=key, patch={"more": [marks("patched-context")]}, now=clock.now)
    await _turn(store, clock, key, marks)
    await _failed_turn(store, clock, key, marks)
    await _paused_turn(store, clock, key, marks)
    await _files_and_calls(store, clock, key, marks)
    await _bot_events(store, clock, key, marks)
    await store.save_user_secret(user_id=key.user_id, name="model", value=marks("secret"), now=clock.now)
    retitled = SessionKey(user_id=key.user_id, session_id="s-retitled")
    await store.create_session(key=retitled, title="old", context={}, now=clock.now)
    await store.set_title(key=retitled, title=marks("new-title"), now=clock.now)
    return marks


def _event(event_id: str, mark: str) -> OutgoingEvent:
    return OutgoingEvent(event_id=event_id, type="ai.bot.suggestion", data={"suggestion": {"text": mark}})


async def _turn(store: Store, clock: SetClock, key: SessionKey, marks: Marks) -> None:
    request = TurnRequest(message=marks("message"), context={"view": marks("request-context")})
    begun = await store.begin_turn(new=new_turn(key, clock.now, request=request))
    lease = held(begun)
    call = ToolCall(
        id="c-1",
        name="save_artifact",
        arguments={"content": marks("arguments")},
        signature=marks("signature"),
    )
    reply = ModelStep(
        parts=(TextPart(text=marks("reply")), call), finish_reason="tool_calls", usage=Usage(), model="m"
    )
    result = ToolResult(id="c-1", name="save_artifact", status="ok", result={"page": marks("result")})
    steps: tuple[Step, ...] = (reply, ToolStep(result=result))
    for number, step in enumerate(steps, start=1):
        await store.append_step(
            lease=lease,
            number=number,
            step=step,
            now=clock.now,
            lease_seconds=LEASE_SECONDS,
            events=(_event(f"e-{number}", marks(f"event-{number}")),),
        )
    last = ModelStep(
        parts=(TextPart(text=marks("last-reply")),), finish_reason="stop", usage=Usage(), model="m"
    )
    await store.finish_turn(
        lease=lease,
        number=3,
        steps=(last, FinalStep(status="completed", finish_reason="stop")),
        now=clock.now,
        events=(_event("e-last", marks("last-event")),),
    )


async def _failed_turn(store: Store, clock: SetClock, key: SessionKey, marks: Marks) -> None:
    begun = await store.begin_turn(
        new=new_turn(key, clock.now, request=TurnRequest(message=marks("second-message")))
    )
    lease = held(begun)
    await store.save_summary(lease=lease, summary=Summary(text=marks("summary"), through=1), now=clock.now)
    fault = ToolFault(code="fetch_failed", message=marks("fault"))
    failed = ToolResult(id="c-2", name="browse_web", status="error", error=fault)
    final = FinalStep(status="failed", finish_reason="error", error=marks("error"), code="model_unavailable")
    await store.finish_turn(lease=lease, number=1, steps=(ToolStep(result=failed), final), now=clock.now)


async def _paused_turn(store: Store, clock: SetClock, key: SessionKey, marks: Marks) -> None:
    """A turn that waits for its approval, with an event that is held, and one behind it in line."""
    begun = await store.begin_turn(
        new=new_turn(key, clock.now, request=TurnRequest(message=marks("third-message")))
    )
    until = clock.now + timedelta(hours=1)
    question = ApprovalStep(
        call_id="c-3",
        name="deploy_bot",
        arguments={"name": marks("approval-arguments")},
        artifacts_sha256="0" * 64,
        expires_at=until,
        token=marks("approval-token"),
    )
    await store.append_step(
        lease=held(begun),
        number=1,
        step=question,
        now=clock.now,
        lease_seconds=LEASE_SECONDS,
        events=(_event("e-held", marks("held-event")),),
        pause_until=until,
    )
    request = TurnRequest(message=marks("waiting-message"), context={"a": marks("waiting-context")})
    await store.begin_turn(new=new_turn(key, clock.now, request=request, if_busy="wait"))


async def _files_and_calls(store: Store, clock: SetClock, key: SessionKey, marks: Marks) -> None:
    finding: dict[str, Any] = {"rule": "B101", "message": marks("finding")}
    await store.add_version(
        artifact=replace(artifact(key, clock.now), findings=(finding,)),
        max_files=10,
        events=(_event("e-file", marks("file-event")),),
    )
    await store.add_events(key=key, events=(_event("e-own", marks("own-event")),), now=clock.now)
    call = NewToolCall(
        key=key,
        call_id="c-9",
        name="search_web",
        arguments_hash="h",
        now=clock.now,
        lease_seconds=30,
        token=1,
    )
    claim = await store.claim_tool_call(call=call)
    assert isinstance(claim, ToolClaim)
    named = ToolResult(id="c-9", name="search_web", status="ok", result=marks("named-call-result"))
    await store.complete_tool_call(claim=claim, result=named)
    deployment = NewDeployment(
        key=key,
        call_id="c-10",
        deployment_id="d-1",
        asked="h",
        progress={"name": marks("deployment-name")},
        now=clock.now,
        lease_seconds=30,
        token=1,
    )
    held_deployment = await store.claim_deployment(new=deployment)
    told = replace(
        held_deployment, progress={**held_deployment.progress, "said": marks("deployment-refusal")}
    )
    await store.write_deployment(deployment=told, now=clock.now, lease_seconds=30)


async def _bot_events(store: Store, clock: SetClock, key: SessionKey, marks: Marks) -> None:
    value = {"error": marks("bot-error"), "more": {marks("bot-member"): 1}}
    event = crash(marks("bot-event-id"), clock.now, source=marks("bot-event-source"), facts={"failed": value})
    line = log_line("l-1", clock.now, marks("bot-log-line"), facts={})
    await store.record_events(events=(to(event, key), to(line, key)), now=clock.now)
    dead = letter(
        "a1",
        clock.now,
        payload={"data": marks("letter-payload")},
        source=marks("letter-source"),
        event_id=marks("letter-id"),
        type=marks("letter-type"),
        detail=marks("letter-detail"),
    )
    await store.keep_dead_letters(letters=(dead,))


async def read_all(store: Store, *, key: SessionKey = KEY) -> str:
    """Everything that can be read back, as one text."""
    sessions = await store.list_sessions(user_id=key.user_id, limit=50, cursor=None)
    turns = await store.list_turns(key=key, limit=50, cursor=None)
    return repr(
        (
            sessions,
            await store.load_session(key=key),
            turns,
            [await store.load_turn(user_id=key.user_id, turn_id=turn.turn_id) for turn in turns.items],
            await store.list_artifacts(session=key),
            await store.load_tool_call(key=key, call_id="c-9"),
            await store.load_deployment(key=key, call_id="c-10"),
            await store.unpublished_events(limit=50),
            await store.load_user_secret(user_id=key.user_id, name="model"),
            await store.bot_history(user_id=key.user_id, bot_id="bot-1", limit=50, cursor=None),
            await store.list_dead_letters(limit=50, cursor=None),
        )
    )
