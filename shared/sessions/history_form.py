"""A session's history as bytes for a cache: the codec's forms of requests and steps after a list of turns."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import AppError
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.turn import Turn

_VERSION = 1
_LENGTH = struct.Struct(">I")
# A cache seals values as a whole.
_PLAIN = Codec()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The ended turns of a session as they are at one revision of it, oldest first.

    Those of them that hold about `messages` messages; `size` is the length of the form in bytes.
    """

    revision: int
    messages: int
    turns: tuple[Turn, ...]
    size: int = 0


def write_history(history: History, key: SessionKey) -> bytes | None:
    """The form; None when something in it cannot be written."""
    head = {
        "version": _VERSION,
        "session": key.session_id,
        "revision": history.revision,
        "messages": history.messages,
        "turns": [_head_of(turn) for turn in history.turns],
    }
    try:
        parts = [_PLAIN.encode(head, key.user_id)]
        for turn in history.turns:
            parts.append(_PLAIN.encode(turn.request, key.user_id))
            parts.extend(_PLAIN.encode(step, key.user_id) for step in turn.steps)
    except AppError:
        return None
    return b"".join(word for part in parts for word in (_LENGTH.pack(len(part)), part))


def read_history(form: bytes, key: SessionKey) -> History | None:
    """The history of this session; None when the form is of another, of another release, or no form."""
    try:
        parts = _parts(form)
        head = _PLAIN.decode(next(parts), key.user_id)
        if head["version"] != _VERSION or head["session"] != key.session_id:
            return None
        turns = tuple(_turn_of(each, parts, key) for each in head["turns"])
        return History(revision=head["revision"], messages=head["messages"], turns=turns, size=len(form))
    except (AppError, struct.error, StopIteration, RuntimeError, KeyError, TypeError, ValueError):
        return None


def as_stored(turn: Turn) -> Turn:
    """The turn as a store would give it back: what is no JSON value comes back as the codec says."""
    user_id = turn.key.user_id
    return Turn(
        key=turn.key,
        turn_id=turn.turn_id,
        number=turn.number,
        request=_PLAIN.decode_request(_PLAIN.encode(turn.request, user_id), user_id),
        prompt_version=turn.prompt_version,
        status=turn.status,
        created_at=turn.created_at,
        completed_at=turn.completed_at,
        steps=tuple(_PLAIN.decode_step(_PLAIN.encode(step, user_id), user_id) for step in turn.steps),
        step_times=turn.step_times,
    )


def newest_turns(turns: tuple[Turn, ...], messages: int) -> tuple[Turn, ...]:
    """The newest whole turns that hold about so many messages, at least one; a turn's end is no message."""
    count, begin = 0, len(turns)
    for turn in reversed(turns):
        count += max(1, len(turn.steps) - 1)
        if begin < len(turns) and count > messages:
            break
        begin -= 1
    return turns[begin:]


def _head_of(turn: Turn) -> dict[str, Any]:
    return {
        "turn_id": turn.turn_id,
        "number": turn.number,
        "prompt_version": turn.prompt_version,
        "status": turn.status,
        "created_at": turn.created_at,
        "completed_at": turn.completed_at,
        "step_times": turn.step_times,
        "steps": len(turn.steps),
    }


def _turn_of(head: dict[str, Any], parts: Iterator[bytes], key: SessionKey) -> Turn:
    completed_at = head["completed_at"]
    return Turn(
        key=key,
        turn_id=head["turn_id"],
        number=head["number"],
        prompt_version=head["prompt_version"],
        status=head["status"],
        created_at=datetime.fromisoformat(head["created_at"]),
        completed_at=None if completed_at is None else datetime.fromisoformat(completed_at),
        step_times=tuple(datetime.fromisoformat(each) for each in head["step_times"]),
        request=_PLAIN.decode_request(next(parts), key.user_id),
        steps=tuple(_PLAIN.decode_step(next(parts), key.user_id) for _ in range(head["steps"])),
    )


def _parts(form: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(form):
        (length,) = _LENGTH.unpack_from(form, at)
        at += _LENGTH.size
        yield form[at : at + length]
        at += length
