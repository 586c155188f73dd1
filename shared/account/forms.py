"""The JSON of an export, as docs/account.md tells it.

Left out is what says nothing to its owner, or would let a stranger act: the model's opaque signatures,
places in traces, and the tokens that approvals are signed by.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import orjson

from shared.artifact import Artifact
from shared.clock import to_wire
from shared.session import Session
from shared.sessions.deployment_port import Deployment
from shared.sessions.inbound_port import RecordedEvent
from shared.turn import Step, Turn, TurnRequest

_OPAQUE = ("signature", "token", "traceparent")


def json_line(value: Any) -> bytes:
    """The value as one line of JSON Lines."""
    return _dumped(value, 0) + b"\n"


def json_text(value: Any) -> bytes:
    """The value as JSON to be read by people."""
    return _dumped(value, orjson.OPT_INDENT_2) + b"\n"


def session_form(session: Session) -> dict[str, Any]:
    """A session with its context."""
    return {
        "id": session.key.session_id,
        "title": session.title,
        "created_at": to_wire(session.created_at),
        "updated_at": to_wire(session.updated_at),
        "context": session.whole_context,
    }


def event_form(event: RecordedEvent) -> dict[str, Any]:
    """An event that told of a bot."""
    return {
        "source": event.source,
        "id": event.event_id,
        "type": event.type,
        "time": to_wire(event.time),
        "received_at": to_wire(event.received_at),
        "bot_id": event.bot_id,
        "data": event.data,
    }


def turn_form(turn: Turn) -> dict[str, Any]:
    """A turn with all its steps: replies, tool calls and results, approvals and decisions."""
    return {
        "turn_id": turn.turn_id,
        "number": turn.number,
        "status": turn.status,
        "created_at": to_wire(turn.created_at),
        "completed_at": to_wire(turn.completed_at) if turn.completed_at else None,
        "request": _request_form(turn.request),
        "usage": {**asdict(turn.usage), "total_tokens": turn.usage.total_tokens},
        "steps": [
            _step_form(number, step, at)
            for number, (step, at) in enumerate(zip(turn.steps, turn.step_times, strict=True))
        ],
    }


def deployment_form(deployment: Deployment) -> dict[str, Any]:
    """How far a deployment came, and the bot it made."""
    return {
        "deployment_id": deployment.deployment_id,
        "call_id": deployment.call_id,
        "state": deployment.state,
        "bot_id": deployment.bot_id,
        "progress": deployment.progress,
    }


def version_form(artifact: Artifact, deleted_at: datetime | None, member: str | None) -> dict[str, Any]:
    """A version of a file, and the member that holds its bytes; None: they could not be read."""
    return {
        **artifact.wire(),
        "turn_id": artifact.turn_id,
        "file_deleted_at": to_wire(deleted_at) if deleted_at else None,
        "member": member,
    }


def _request_form(request: TurnRequest) -> dict[str, Any]:
    return {name: value for name, value in asdict(request).items() if name not in _OPAQUE}


def _step_form(number: int, step: Step, at: datetime) -> dict[str, Any]:
    form = {name: value for name, value in asdict(step).items() if name not in _OPAQUE}
    if "parts" in form:
        form["parts"] = [
            {name: value for name, value in part.items() if name not in _OPAQUE} for part in form["parts"]
        ]
    return {"number": number, "at": to_wire(at), **form}


def _dumped(value: Any, option: int) -> bytes:
    try:
        return orjson.dumps(_plain(value), option=option)
    except TypeError:
        # Halves of surrogate pairs, and numbers of any size, which the quick one does not write.
        indent = 2 if option else None
        return json.dumps(_plain(value), indent=indent).encode("ascii")


def _plain(value: Any) -> Any:
    """The value with times as on the wire."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return to_wire(value)
    return value.isoformat() if isinstance(value, date) else value
