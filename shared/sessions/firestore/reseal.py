"""The transactions of `Store.reseal`: a document at a time, collection by collection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.errors import InternalError, InvalidRequestError
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.firestore.bodies import Bodies, Body, part_refs, split
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import from_name
from shared.sessions.firestore.runner import Runner
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.port import Resealed

# Each collection with the fields of its documents that are bodies; of turns and facts more are found in them.
FIELDS: dict[str, tuple[str, ...]] = {
    "bot_events": ("body",),
    "bot_facts": (),
    "dead_letters": ("body",),
    "deployments": ("progress",),
    "files": ("record",),
    "outbox": ("body",),
    "secrets": ("value",),
    "sessions": ("title", "context", "summary"),
    "tool_calls": ("result",),
    "turns": ("request",),
    "versions": ("record",),
}


@dataclass(slots=True)
class _Count:
    written: int = 0
    unreadable: int = 0


async def reseal(runner: Runner, *, after: str | None, limit: int) -> Resealed:
    """See `Store.reseal`; one call stays within one collection."""
    collection, last = _place(after)
    query = Query(collection=collection, order="id", range=((">", last),), limit=limit)
    found = await runner.read(partial(_ids, query=query))
    total = _Count()
    for place in found:
        count = await runner.write(partial(_reseal_document, ref=Ref(collection, place)), queue=place)
        total.written += count.written
        total.unreadable += count.unreadable
    return Resealed(
        written=total.written, unreadable=total.unreadable, after=_after(collection, found, limit)
    )


def _place(after: str | None) -> tuple[str, str]:
    collections = sorted(FIELDS)
    if after is None:
        return collections[0], ""
    collection, last = (str(each) for each in read_cursor(after, str, str))
    if collection not in FIELDS or (last and not last.isalnum()):
        raise InvalidRequestError("this is no place in the store that an earlier run gave")
    return collection, last


def _after(collection: str, found: list[str], limit: int) -> str | None:
    if len(found) == limit and found:
        return write_cursor(collection, found[-1])
    later = [name for name in sorted(FIELDS) if name > collection]
    return write_cursor(later[0], "") if later else None


async def _ids(tx: Transaction, *, query: Query) -> list[str]:
    return [document.ref.id for document in await tx.find(query)]


async def _reseal_document(tx: Transaction, *, ref: Ref) -> _Count:
    document, count = await tx.one(ref), _Count()
    # Also what a rollback leaves: a mark without bodies.
    held = [(name, body) for name, body in _bodies(document, FIELDS[ref.collection]) if body is not None]
    bodies = await Bodies.of(tx, ((ref.id, body) for _, body in held))
    new: dict[str, Body] = {}
    for name, body in held:
        stored = bodies.whole(ref.id, body)
        try:
            sealed = tx.codec.reseal(stored, from_name(document["user"]))
        except InternalError:
            count.unreadable += 1
            continue
        if sealed is not None:
            new[name] = await _rewritten(tx, document, body, sealed)
            count.written += 1
    if new:
        _put_back(document, new)
    return count


def _bodies(document: Document, fields: tuple[str, ...]) -> Iterator[tuple[str, Body | None]]:
    for field in fields:
        yield field, document.get(field)
    for name, step in (document.get("steps") or {}).items():
        yield f"steps {name}", step["body"]
    for index, event in enumerate(document.get("events") or ()):
        yield f"events {index}", event["body"]
    for kind, fact in (document.get("facts") or {}).items():
        yield f"facts {kind}", fact["value"]


async def _rewritten(tx: Transaction, document: Document, body: Body, sealed: bytes) -> Body:
    """The body as its field holds it; the parts of one that is split are written anew."""
    if isinstance(body, bytes):
        return sealed
    pieces = split(sealed)
    changed: Body = {**body, "parts": len(pieces)}
    for part, piece in zip(await tx.get(*part_refs(document.ref.id, changed)), pieces, strict=True):
        part.set(owner=document.ref.id, body=piece)
    return changed


def _put_back(document: Document, new: dict[str, Body]) -> None:
    events: list[dict[str, Any]] = list(document.get("events") or ())
    steps: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for name, body in new.items():
        kind, _, place = name.partition(" ")
        if kind == "steps":
            steps[place] = {**document["steps"][place], "body": body}
        elif kind == "events":
            events[int(place)] = {**events[int(place)], "body": body}
        elif kind == "facts":
            facts[place] = {**document["facts"][place], "value": body}
        else:
            document.set(**{kind: body})
    if steps:
        document.put("steps", steps)
    if facts:
        document.put("facts", facts)
    if any(name.startswith("events ") for name in new):
        document.set(events=events)
