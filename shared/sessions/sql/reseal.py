"""The transactions of `Store.reseal`: every column of bodies, table by table in the order of its key.

A body is written only if it is still what was read, so that the command may run beside a serving process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, LargeBinary, Select, Table, Update, bindparam, select, tuple_, update

from shared.errors import InternalError, InvalidRequestError
from shared.sessions.cursor import read_cursor, write_cursor
from shared.sessions.port import Resealed
from shared.sessions.sql.columns import AnyRow, Name
from shared.sessions.sql.schema import metadata
from shared.sessions.sql.tx import Tx


class _Bodies:
    """One table's columns of bodies, with the statements that go through them."""

    def __init__(self, table: Table, columns: tuple[Column[bytes], ...]) -> None:
        self.name = table.name
        self.key = tuple(table.primary_key)
        self._table, self.columns = table, columns
        read = dict.fromkeys((table.c.user_id, *self.key, *columns))
        chosen = select(*read).order_by(*self.key).limit(bindparam("most"))
        self.first: Select[Any] = chosen
        places = [bindparam(f"after_{each.name}", type_=each.type) for each in self.key]
        self.next: Select[Any] = chosen.where(tuple_(*self.key) > tuple_(*places))
        self.writes = {column.name: self._write(column) for column in columns}

    def _write(self, column: Column[bytes]) -> Update:
        this = [each == bindparam(f"this_{each.name}") for each in self.key]
        return (
            update(self._table)
            .where(*this, column == bindparam("old_body"))
            .values({column: bindparam("new_body")})
        )


def _tables() -> dict[str, _Bodies]:
    found = {}
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        columns = tuple(column for column in table.columns if isinstance(column.type, LargeBinary))
        if columns:
            found[table.name] = _Bodies(table, columns)
    return found


_TABLES = _tables()


def reseal(tx: Tx, after: str | None, limit: int) -> Resealed:
    """See `Store.reseal`; one call stays within one table."""
    bodies, place = _place(after)
    rows = _read(tx, bodies, place, limit)
    written = unreadable = 0
    for row in rows:
        for column in bodies.columns:
            try:
                written += _reseal_body(tx, bodies, row, column.name)
            except InternalError:
                unreadable += 1
    return Resealed(written=written, unreadable=unreadable, after=_after(bodies, rows, limit))


def _read(tx: Tx, bodies: _Bodies, place: Sequence[int | str], limit: int) -> Sequence[AnyRow]:
    if not place:
        return tx.execute(bodies.first, {"most": limit}).all()
    values = {f"after_{column.name}": value for column, value in zip(bodies.key, place, strict=True)}
    return tx.execute(bodies.next, values | {"most": limit}).all()


def _reseal_body(tx: Tx, bodies: _Bodies, row: AnyRow, column: str) -> int:
    old = getattr(row, column)
    new = None if old is None else tx.codec.reseal(old, row.user_id)
    if new is None:
        return 0
    this = {f"this_{each.name}": getattr(row, each.name) for each in bodies.key}
    values: dict[str, Any] = this | {"old_body": old, "new_body": new}
    return tx.execute(bodies.writes[column], values).rowcount


def _place(after: str | None) -> tuple[_Bodies, Sequence[int | str]]:
    if after is None:
        return next(iter(_TABLES.values())), ()
    name, _, key = after.partition(":")
    bodies = _TABLES.get(name)
    if bodies is None:
        raise InvalidRequestError("there is no such place to go on from")
    kinds = (str if isinstance(each.type, Name) else int for each in bodies.key)
    return bodies, read_cursor(key, *kinds) if key else ()


def _after(bodies: _Bodies, rows: Sequence[AnyRow], limit: int) -> str | None:
    if len(rows) == limit:
        return f"{bodies.name}:{write_cursor(*(getattr(rows[-1], each.name) for each in bodies.key))}"
    names = list(_TABLES)
    following = names[names.index(bodies.name) + 1 :]
    return following[0] if following else None
