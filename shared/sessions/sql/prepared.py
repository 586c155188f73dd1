"""Statements of the hot paths: compiled once and, on SQLite, run by the driver itself.

SQLAlchemy's own way to a statement's rows takes 60 to 120 µs of processor time, the driver's 8 to 14: where
there is no network to wait for, that is most of what a small transaction costs. On Postgres a statement is
run as any other.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Dialect, Executable, Select
from sqlalchemy.sql.compiler import SQLCompiler

from shared.sessions.sql.tx import Tx

Values = Mapping[str, Any]
_Convert = Callable[[Any], Any]


class Prepared:
    """One statement, given as it is or made per kind of database (upsert.py); the same values every time."""

    def __init__(self, statement: Executable | Callable[[Tx], Executable]) -> None:
        self._statement = statement
        self._compiled: _Compiled | None = None

    def first(self, tx: Tx, values: Values) -> Any:
        """The first row, its columns as attributes; None when there is none."""
        if tx.driver is None:
            return tx.execute(self._of(tx), dict(values)).first()
        compiled = self._for(tx, values)
        found = tx.driver.execute(compiled.text, compiled.parameters(values)).fetchone()
        return None if found is None else compiled.row(found)

    def all(self, tx: Tx, values: Values) -> list[Any]:
        """Every row, its columns as attributes."""
        if tx.driver is None:
            return list(tx.execute(self._of(tx), dict(values)).all())
        compiled = self._for(tx, values)
        found = tx.driver.execute(compiled.text, compiled.parameters(values)).fetchall()
        return [compiled.row(row) for row in found]

    def run(self, tx: Tx, *values: Values) -> None:
        """Runs it once with each of the values, one at least."""
        if tx.driver is None:
            many = [dict(each) for each in values]
            tx.execute(self._of(tx), many if len(many) > 1 else many[0])
            return
        for each in values:
            compiled = self._for(tx, each)
            if each.keys() != compiled.given:
                raise ValueError("a prepared statement takes the same values every time")
            tx.driver.execute(compiled.text, compiled.parameters(each))

    def _of(self, tx: Tx) -> Executable:
        return self._statement if isinstance(self._statement, Executable) else self._statement(tx)

    def _for(self, tx: Tx, values: Values) -> _Compiled:
        if self._compiled is None:
            self._compiled = _compile(self._of(tx), tx.dialect, values)
        return self._compiled


class _Compiled(NamedTuple):
    """The text for the driver, and how values become its parameters and its columns attributes of a row."""

    text: str
    given: frozenset[str]
    # The names of the values, one for each place in the text; some stand in several.
    places: tuple[str, ...]
    converts: tuple[tuple[str, _Convert], ...]
    constants: dict[str, Any]
    make: Callable[[Iterable[Any]], Any]
    columns: tuple[tuple[int, _Convert], ...]

    def parameters(self, values: Values) -> list[Any]:
        """The values in the order of their places."""
        named = {**self.constants, **values}
        for name, convert in self.converts:
            named[name] = convert(named[name])
        return [named[name] for name in self.places]

    def row(self, found: tuple[Any, ...]) -> Any:
        """A row of the driver with its columns as attributes, each as its type has it."""
        if self.columns:
            cells = list(found)
            for place, convert in self.columns:
                cells[place] = convert(cells[place])
            return self.make(cells)
        return self.make(found)


def _compile(statement: Executable, dialect: Dialect, values: Values) -> _Compiled:
    # An insert takes the columns that it is given values for.
    compiled = statement.compile(dialect=dialect, column_keys=list(values))  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    columns = list(statement.selected_columns) if isinstance(statement, Select) else []
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    inputs = [
        (name, bind.type.dialect_impl(dialect).bind_processor(dialect))
        for name, bind in compiled.binds.items()
    ]
    row: Any = namedtuple("Row", [str(column.key) for column in columns])  # type: ignore[misc]
    return _Compiled(
        text=str(compiled),
        given=frozenset(values),
        places=tuple(compiled.positiontup or ()),
        converts=tuple((name, convert) for name, convert in inputs if convert is not None),
        constants={name: bind.value for name, bind in compiled.binds.items() if not bind.required},
        make=row._make,
        columns=tuple((place, convert) for place, convert in enumerate(results) if convert is not None),
    )
