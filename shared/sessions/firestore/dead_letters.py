"""The transactions of `DeadLetters`: a document a letter, whose `place` is empty when it waits no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.errors import DeadLetterNotFoundError
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.firestore.bodies import checked
from shared.sessions.firestore.client import Query, Ref
from shared.sessions.firestore.names import from_name, to_name
from shared.sessions.firestore.times import from_micros, to_micros
from shared.sessions.firestore.transaction import Document, Transaction
from shared.sessions.inbound_port import DeadLetter
from shared.sessions.letter_form import LETTER_OWNER, letter_of, letter_value
from shared.sessions.page import Page

# A payload may be a few hundred kilobytes, a commit 10 MiB.
LETTERS_AT_ONCE = 20

_KEPT = timedelta(days=30)
_WAITING = (">", "")


async def keep_dead_letters(tx: Transaction, letters: Sequence[DeadLetter]) -> None:
    """See `DeadLetters.keep_dead_letters`."""
    documents = await tx.get(*(_ref(letter.letter_id) for letter in letters))
    for letter, document in zip(letters, documents, strict=True):
        document.set(
            user=to_name(LETTER_OWNER),
            reason=letter.reason,
            waits_for=to_name(letter.bot_id or ""),
            place=f"{to_micros(letter.received_at):020} {letter.letter_id}",
            received_at=to_micros(letter.received_at),
            body=checked(tx.codec.encode(letter_value(letter), LETTER_OWNER)),
            expires_at=letter.received_at + _KEPT,
        )


async def list_dead_letters(tx: Transaction, limit: int, cursor: str | None) -> Page[DeadLetter]:
    """See `DeadLetters.list_dead_letters`."""
    before = str(read_cursor(cursor, str)[0]) if cursor is not None else "~"
    found = await tx.find(
        Query(
            collection="dead_letters",
            order="place",
            # A cursor is the caller's word: it may hold what no string of Firestore holds.
            range=(_WAITING, ("<", before.encode("utf-8", "replace").decode())),
            descending=True,
            limit=limit + 1,
        )
    )
    page = found[:limit]
    items = tuple(_letter(tx, each) for each in page)
    return Page(items=items, next_cursor=write_cursor(page[-1]["place"]) if len(found) > limit else None)


async def load_dead_letter(tx: Transaction, letter_id: str) -> DeadLetter:
    """See `DeadLetters.load_dead_letter`."""
    document = await tx.one(_ref(letter_id))
    if not document.exists or not document["place"]:
        raise DeadLetterNotFoundError("no such event waits")
    return _letter(tx, document)


async def settle_dead_letters(tx: Transaction, letter_ids: Sequence[str]) -> None:
    """See `DeadLetters.settle_dead_letters`."""
    for document in await tx.get(*map(_ref, letter_ids)):
        if document.exists and document["place"]:
            document.set(place="", waits_for="")


async def dead_letters_of_bot(tx: Transaction, bot_id: str, limit: int) -> tuple[DeadLetter, ...]:
    """See `DeadLetters.dead_letters_of_bot`."""
    name = to_name(bot_id)
    found = await tx.find(
        Query(collection="dead_letters", order="waits_for", range=((">=", name), ("<=", name)), limit=limit)
    )
    return tuple(_letter(tx, each) for each in found)


async def count_dead_letters(tx: Transaction) -> int:
    """See `DeadLetters.count_dead_letters`."""
    return await tx.count(Query(collection="dead_letters", order="place", range=(_WAITING,)))


def _ref(letter_id: str) -> Ref:
    return Ref("dead_letters", letter_id)


def _letter(tx: Transaction, document: Document) -> DeadLetter:
    return letter_of(
        tx.codec.decode(document["body"], from_name(document["user"])),
        letter_id=document.ref.id,
        reason=document["reason"],
        bot_id=from_name(document["waits_for"]) or None,
        received_at=from_micros(document["received_at"]),
    )
