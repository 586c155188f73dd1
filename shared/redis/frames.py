"""Updates of a turn as sealed bytes, each frame naming the place in the stream that it follows."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from shared.agent.updates import Position, Update
from shared.errors import AppError
from shared.sessions.codec import Codec

MAX_FRAME = 1024 * 1024
"""Bytes; what is longer is left to the record."""


class UnreadableFrameError(Exception):
    """A frame that is not ours, not this user's, or of a newer release; never leaves this package."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Updates that come directly after `follows`."""

    follows: Position
    updates: tuple[Update, ...]


def write_frames(frame: Frame, *, codec: Codec, user_id: str, turn_id: str) -> Iterator[bytes]:
    """The frame for one user's turn, in parts if it is too long; what is too long by itself is left out."""
    written = _written(frame, codec, user_id, turn_id)
    if written is not None:
        yield written
    elif len(frame.updates) > 1:
        half = len(frame.updates) // 2
        first, second = frame.updates[:half], frame.updates[half:]
        for part in (Frame(frame.follows, first), Frame(first[-1].at, second)):
            yield from write_frames(part, codec=codec, user_id=user_id, turn_id=turn_id)


def _written(frame: Frame, codec: Codec, user_id: str, turn_id: str) -> bytes | None:
    form = {
        "turn_id": turn_id,
        "follows": list(frame.follows),
        "updates": [_form(update) for update in frame.updates],
    }
    try:
        written = codec.encode(form, user_id)
    except AppError:
        return None
    return written if len(written) <= MAX_FRAME else None


def read_frame(stored: bytes, *, codec: Codec, user_id: str, turn_id: str) -> Frame:
    """The frame that `write_frames` made for this user's turn.

    Raises:
        UnreadableFrameError: it made none of that.
    """
    if not codec.keyring.is_empty and not codec.keyring.is_sealed(stored):
        raise UnreadableFrameError("not sealed")
    try:
        form = codec.decode(stored, user_id)
        if form["turn_id"] != turn_id:
            raise UnreadableFrameError("of another turn")
        updates = tuple(_read(_kinds()[each["type"]], each) for each in form["updates"])
        return Frame(Position(*form["follows"]), updates)
    except (AppError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableFrameError("not a frame") from error


def _form(update: Update) -> dict[str, Any]:
    # A Position is a named tuple, which the fast encoder does not take for a list.
    return {
        each.name: list(value) if isinstance(value := getattr(update, each.name), Position) else value
        for each in fields(update)
    }


@cache
def _kinds() -> dict[str, type]:
    kinds: dict[str, type] = {}
    for kind in get_args(Update):
        kinds[str(next(each.default for each in fields(kind) if each.name == "type"))] = kind
    return kinds


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(hint: Any, value: Any) -> Any:
    """The value of a field as its type says: our dataclasses, positions, tuples and times from JSON."""
    if get_origin(hint) is types.UnionType:
        if value is None:
            return None
        hint = next(each for each in get_args(hint) if each is not type(None))
    if hint is Position:
        return Position(*value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{each.name: _read(hints[each.name], value[each.name]) for each in fields(hint)})
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], each) for each in value)
    return value
