"""Sealed bodies in documents: small ones in a field, large ones in parts beside the document.

A document takes 1 MiB and a commit 10 MiB. What would not fit into its document is cut into documents of the
collection `parts`, created in the same commit and never changed but by a new key of encryption; the field
then says how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.errors import TooLargeError
from shared.sessions.firestore.client import Ref
from shared.sessions.firestore.transaction import Document, Transaction

# A document's other fields stay far below what is left of 1 MiB.
INLINE_BYTES = 600_000
PART_BYTES = 900_000
MAX_BYTES = 8_000_000

Body = bytes | dict[str, Any]


def checked(sealed: bytes) -> bytes:
    """The body, when a document takes it in a field; raises TooLargeError."""
    if len(sealed) > INLINE_BYTES:
        raise TooLargeError(f"the database takes a value of at most {INLINE_BYTES} bytes here")
    return sealed


def put_body(tx: Transaction, owner: Document, name: str, sealed: bytes, *, inline: int) -> tuple[Body, int]:
    """The body as a field of the owner holds it, and how many bytes it takes there.

    `inline` is what the owner's other bodies take already. `name` tells the bodies of one owner apart.

    Raises:
        TooLargeError: it is more than one commit takes.
    """
    if inline + len(sealed) <= INLINE_BYTES:
        return sealed, len(sealed)
    if len(sealed) > MAX_BYTES:
        raise TooLargeError(f"the database takes a value of at most {MAX_BYTES} bytes")
    pieces = split(sealed)
    body = {"name": name, "parts": len(pieces)}
    for ref, piece in zip(part_refs(owner.ref.id, body), pieces, strict=True):
        tx.new(ref, owner=owner.ref.id, body=piece, expires_at=owner.get("expires_at"))
    owner.set(is_split=True)
    return body, 0


def split(sealed: bytes) -> list[bytes]:
    """The pieces of a body that is too large for one document."""
    return [sealed[start : start + PART_BYTES] for start in range(0, len(sealed), PART_BYTES)]


def part_refs(owner: str, body: Body) -> list[Ref]:
    """Where the parts of a body are; none of one that is in its field."""
    if isinstance(body, bytes):
        return []
    return [Ref("parts", f"{owner}.{body['name']}.{index:03}") for index in range(body["parts"])]


class Bodies:
    """The whole bodies of some documents, their parts fetched at once."""

    def __init__(self, parts: dict[Ref, bytes]) -> None:
        self._parts = parts

    @classmethod
    async def of(cls, tx: Transaction, owned: Iterable[tuple[str, Body]]) -> Bodies:
        """The bodies of these owners."""
        refs = [ref for owner, body in owned for ref in part_refs(owner, body)]
        if not refs:
            return cls({})
        # Some may be this transaction's own.
        return cls({part.ref: part["body"] for part in await tx.get(*refs) if part.exists})

    def whole(self, owner: str, body: Body) -> bytes:
        """The body in one piece; raises KeyError when its owner was removed meanwhile."""
        if isinstance(body, bytes):
            return body
        return b"".join(self._parts[ref] for ref in part_refs(owner, body))


def bodies_of(document: Document) -> Iterator[tuple[str, Body]]:
    """All bodies of a turn's document, for `Bodies.of`."""
    owner = document.ref.id
    yield owner, document["request"]
    for step in (document.get("steps") or {}).values():
        yield owner, step["body"]
    for event in document.get("events") or ():
        yield owner, event["body"]
