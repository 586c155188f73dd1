"""A turn's document, which holds its steps, and the turn it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.errors import SessionConflictError, TurnNotFoundError
from shared.keys import SessionKey
from shared.sessions.codec import Codec
from shared.sessions.firestore.bodies import Bodies, bodies_of, put_body
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.names import document_id, from_name, session_id, to_name
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.turn_port import NewTurn
from shared.turn import UNFINISHED, Step, Turn, TurnStatus

REMOVED = "removed"


def turn_ref(user_id: str, turn_id: str) -> Ref:
    """Where a turn's document is."""
    return Ref("turns", document_id(user_id, turn_id))


def turn_not_found() -> TurnNotFoundError:
    """The error for a turn that is not there, was rolled back, or is not this user's."""
    return TurnNotFoundError("there is no such turn")


def is_kept(turn: Document) -> bool:
    """Whether the turn is there and was not rolled back."""
    return turn.exists and turn["status"] != REMOVED


def session_key(turn: Document) -> SessionKey:
    """The session the turn is of."""
    return SessionKey(user_id=from_name(turn["user"]), session_id=from_name(turn["session_id"]))


async def unfinished_turn(tx: Transaction, key: SessionKey, turn_id: str | None) -> Document | None:
    """The turn, when it is one of the session that has not ended.

    Raises:
        SessionConflictError: it was rolled back, or never was.
    """
    if turn_id is None:
        return None
    turn = await tx.one(turn_ref(key.user_id, turn_id))
    if not is_kept(turn):
        raise SessionConflictError("the turn was rolled back: what it did is not kept")
    return turn if turn["session"] == session_id(key) and turn["status"] in UNFINISHED else None


def fill_turn(tx: Transaction, turn: Document, new: NewTurn) -> None:
    """Fills the document of a turn that is not there yet: it waits, without number or steps."""
    turn.set(
        user=to_name(new.key.user_id),
        session=session_id(new.key),
        session_id=to_name(new.key.session_id),
        turn_id=to_name(new.turn_id),
        number=0,
        prompt_version=new.prompt_version,
        status="waiting",
        created_at=to_micros(new.now),
        completed_at=None,
        token=0,
        until=0,
        steps={},
        count=0,
        begun_with=0,
        taking=None,
        ran_before=0,
        events=[],
        versions=[],
        is_split=False,
        expires_at=None,
    )
    body, size = put_body(tx, turn, "request", tx.codec.encode(new.request, new.key.user_id), inline=0)
    turn.set(request=body, size=size)


async def has_steps(tx: Transaction, turn: Document, number: int, wanted: tuple[Step, ...]) -> bool:
    """Whether the turn's steps from `number` on begin with these."""
    entries = [turn["steps"].get(_step_name(index)) for index in range(number, number + len(wanted))]
    if None in entries:
        return False
    user_id, owner = from_name(turn["user"]), turn.ref.id
    bodies = await Bodies.of(tx, ((owner, entry["body"]) for entry in entries))
    # In their stored form: what is no JSON number comes back as null.
    return all(
        tx.codec.decode(bodies.whole(owner, entry["body"]), user_id)
        == tx.codec.decode(tx.codec.encode(step, user_id), user_id)
        for entry, step in zip(entries, wanted, strict=True)
    )


def add_steps(tx: Transaction, turn: Document, number: int, steps: tuple[Step, ...], now: datetime) -> None:
    """Adds steps from that number on; raises SessionConflictError when it is not the record's next."""
    if number != turn["count"]:
        raise SessionConflictError("this step of the turn is there already")
    user_id, size = from_name(turn["user"]), turn["size"]
    entries = {}
    for index, step in enumerate(steps, number):
        name = _step_name(index)
        body, taken = put_body(tx, turn, name, tx.codec.encode(step, user_id), inline=size)
        size += taken
        entries[name] = {"at": to_micros(now), "body": body}
    turn.put("steps", entries)
    turn.set(count=number + len(steps), size=size)


def _step_name(number: int) -> str:
    return f"s{number:06}"


async def turns_of(tx: Transaction, documents: Iterable[Document], now: datetime | None = None) -> list[Turn]:
    """The turns of these documents; with `now` one whose lease has run out reads as `interrupted`.

    A turn that is removed while its parts are read is left out.
    """
    chosen = list(documents)
    bodies = await Bodies.of(tx, (pair for document in chosen for pair in bodies_of(document)))
    turns = []
    for document in chosen:
        try:
            turns.append(_turn(tx.codec, document, bodies, now))
        except KeyError:
            if await _is_there(tx, document):
                raise
    return turns


async def turn_of(tx: Transaction, document: Document, now: datetime | None = None) -> Turn:
    """The turn of one document; raises TurnNotFoundError when it is removed meanwhile."""
    found = await turns_of(tx, (document,), now)
    if not found:
        raise turn_not_found()
    return found[0]


def _turn(codec: Codec, document: Document, bodies: Bodies, now: datetime | None) -> Turn:
    key = session_key(document)
    owner = document.ref.id
    steps = [entry for _, entry in sorted((document.get("steps") or {}).items())]
    return Turn(
        key=key,
        turn_id=from_name(document["turn_id"]),
        number=document["number"],
        request=codec.decode_request(bodies.whole(owner, document["request"]), key.user_id),
        prompt_version=document["prompt_version"],
        status=_status(document, now),
        created_at=from_micros(document["created_at"]),
        completed_at=None if document["completed_at"] is None else from_micros(document["completed_at"]),
        steps=tuple(codec.decode_step(bodies.whole(owner, entry["body"]), key.user_id) for entry in steps),
        step_times=tuple(from_micros(entry["at"]) for entry in steps),
    )


def _status(document: Document, now: datetime | None) -> TurnStatus:
    status: Any = document["status"]
    runs = status in ("running", "paused")
    return "interrupted" if runs and now is not None and document["until"] <= to_micros(now) else status


async def _is_there(tx: Transaction, document: Document) -> bool:
    found = (await tx.read([document.ref]))[document.ref]
    return found.data is not None and found.data["status"] != REMOVED
