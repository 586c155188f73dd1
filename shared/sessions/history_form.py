"""A session's history as bytes for a cache: the codec's forms of requests and steps after a list of turns."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import AppError
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.turn import Turn

_VERSION = 2
_LENGTH = struct.Struct(">I")
# What the objects of a step take beside its text, as measured with tracemalloc.
_STEP_BYTES = 450
# A cache seals values as a whole.
_PLAIN = Codec()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The ended turns of a session as they are at one revision of it, oldest first.

    Those of them that hold about `messages` messages. `forms` are their stored forms by number, as far as
    they have been made. `created_at` is the session's: another one may come under its id when its user was
    erased, and count its revisions anew.
    """

    revision: int
    created_at: datetime
    messages: int
    turns: tuple[Turn, ...]
    forms: dict[int, bytes]

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes: the text is there twice, in the forms and in the turns."""
        steps = sum(len(turn.steps) for turn in self.turns)
        return 2 * sum(map(len, self.forms.values())) + _STEP_BYTES * steps


def with_forms(history: History) -> History | None:
    """The same with the forms of all its turns; None when one of them cannot be written."""
    forms: dict[int, bytes] = {}
    for turn in history.turns:
        form = history.forms.get(turn.number) or write_turn(turn)
        if form is None:
            return None
        forms[turn.number] = form
    return replace(history, forms=forms)


def write_history(history: History, key: SessionKey) -> bytes:
    """The form of a history that has all forms of its turns."""
    head = {
        "version": _VERSION,
        "session": key.session_id,
        "revision": history.revision,
        "created_at": history.created_at,
        "messages": history.messages,
    }
    return _joined([_PLAIN.encode(head, key.user_id), *history.forms.values()])


def read_history(form: bytes, key: SessionKey) -> History | None:
    """The history of this session; None when the form is of another, of another release, or no form."""
    try:
        first, *forms = _parts(form)
        head = _PLAIN.decode(first, key.user_id)
        if head["version"] != _VERSION or head["session"] != key.session_id or not forms:
            return None
        turns = tuple(read_turn(each, key) for each in forms)
        return History(
            revision=head["revision"],
            created_at=datetime.fromisoformat(head["created_at"]),
            messages=head["messages"],
            turns=turns,
            forms={turn.number: each for turn, each in zip(turns, forms, strict=True)},
        )
    except (AppError, struct.error, KeyError, TypeError, ValueError):
        return None


def write_turn(turn: Turn) -> bytes | None:
    """The form of an ended turn; None when something in it cannot be written."""
    head = {
        "turn_id": turn.turn_id,
        "number": turn.number,
        "prompt_version": turn.prompt_version,
        "status": turn.status,
        "created_at": turn.created_at,
        "completed_at": turn.completed_at,
        "step_times": turn.step_times,
    }
    try:
        return _joined([_PLAIN.encode(each, turn.key.user_id) for each in (head, turn.request, *turn.steps)])
    except AppError:
        return None


def read_turn(form: bytes, key: SessionKey) -> Turn:
    """The turn as a store would give it back; raises what reading a wrong form raises."""
    first, request, *steps = _parts(form)
    head = _PLAIN.decode(first, key.user_id)
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
        request=_PLAIN.decode_request(request, key.user_id),
        steps=tuple(_PLAIN.decode_step(each, key.user_id) for each in steps),
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


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(word for part in parts for word in (_LENGTH.pack(len(part)), part))


def _parts(form: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(form):
        (length,) = _LENGTH.unpack_from(form, at)
        at += _LENGTH.size
        yield form[at : at + length]
        at += length
