"""The transactions of `DeadLetters`. A letter belongs to no user: its body is sealed for none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Insert, bindparam, func, select, tuple_, update

from shared.errors import DeadLetterNotFoundError
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.inbound_port import DeadLetter
from shared.sessions.letter_form import LETTER_OWNER, letter_of, letter_value
from shared.sessions.page import Page
from shared.sessions.sql.columns import AnyRow, Name, from_micros, to_micros
from shared.sessions.sql.schema import dead_letters
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

_WAITS = dead_letters.c.settled_at.is_(None)


def _keep(database_insert: Any) -> Insert:
    new = database_insert(dead_letters)
    statement: Insert = new.on_conflict_do_update(
        index_elements=["letter_id"],
        set_={name: new.excluded[name] for name in ("reason", "bot_id", "received_at", "settled_at", "body")},
    )
    return statement


_KEEP = upsert(_keep)
_LIST = (
    select(dead_letters)
    .where(_WAITS)
    .order_by(dead_letters.c.received_at.desc(), dead_letters.c.letter_id.desc())
    .limit(bindparam("rows"))
)
_LIST_AFTER = _LIST.where(
    tuple_(dead_letters.c.received_at, dead_letters.c.letter_id)
    < tuple_(bindparam("before", type_=BigInteger), bindparam("before_id", type_=Name))
)
_LOAD = select(dead_letters).where(dead_letters.c.letter_id == bindparam("letter"), _WAITS)
_OF_BOT = (
    select(dead_letters).where(dead_letters.c.bot_id == bindparam("bot"), _WAITS).limit(bindparam("rows"))
)
_SETTLE = (
    update(dead_letters)
    .where(dead_letters.c.letter_id.in_(bindparam("letters", expanding=True)), _WAITS)
    .values(settled_at=bindparam("now"))
)
_COUNT = select(func.count()).select_from(dead_letters).where(_WAITS)


def keep_dead_letters(tx: Tx, letters: Sequence[DeadLetter]) -> None:
    """See `DeadLetters.keep_dead_letters`."""
    by_id = {letter.letter_id: letter for letter in letters}
    if by_id:
        # In one order everywhere, so that two transactions never wait for each other.
        tx.execute(_KEEP(tx), [_values(tx, by_id[letter_id]) for letter_id in sorted(by_id)])


def list_dead_letters(tx: Tx, limit: int, cursor: str | None) -> Page[DeadLetter]:
    """See `DeadLetters.list_dead_letters`."""
    values: dict[str, Any] = {"rows": limit + 1}
    statement = _LIST
    if cursor is not None:
        before, before_id = read_cursor(cursor, int, str)
        statement, values = _LIST_AFTER, values | {"before": before, "before_id": before_id}
    rows = tx.execute(statement, values).all()
    items = tuple(_letter(tx, row) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(items=items)
    last = rows[limit - 1]
    return Page(items=items, next_cursor=write_cursor(last.received_at, last.letter_id))


def load_dead_letter(tx: Tx, letter_id: str) -> DeadLetter:
    """See `DeadLetters.load_dead_letter`."""
    row = tx.execute(_LOAD, {"letter": letter_id}).first()
    if row is None:
        raise DeadLetterNotFoundError("no such event waits")
    return _letter(tx, row)


def settle_dead_letters(tx: Tx, letter_ids: Sequence[str], now: datetime) -> None:
    """See `DeadLetters.settle_dead_letters`."""
    if letter_ids:
        tx.execute(_SETTLE, {"letters": sorted(letter_ids), "now": to_micros(now)})


def dead_letters_of_bot(tx: Tx, bot_id: str, limit: int) -> tuple[DeadLetter, ...]:
    """See `DeadLetters.dead_letters_of_bot`."""
    return tuple(_letter(tx, row) for row in tx.execute(_OF_BOT, {"bot": bot_id, "rows": limit}).all())


def count_dead_letters(tx: Tx) -> int:
    """See `DeadLetters.count_dead_letters`."""
    count: int = tx.execute(_COUNT).scalar_one()
    return count


def _values(tx: Tx, letter: DeadLetter) -> dict[str, Any]:
    return {
        "letter_id": letter.letter_id,
        "user_id": LETTER_OWNER,
        "reason": letter.reason,
        "bot_id": letter.bot_id,
        "received_at": to_micros(letter.received_at),
        "settled_at": None,
        "body": tx.codec.encode(letter_value(letter), LETTER_OWNER),
    }


def _letter(tx: Tx, row: AnyRow) -> DeadLetter:
    return letter_of(
        tx.codec.decode(row.body, row.user_id),
        letter_id=row.letter_id,
        reason=row.reason,
        bot_id=row.bot_id,
        received_at=from_micros(row.received_at),
    )
