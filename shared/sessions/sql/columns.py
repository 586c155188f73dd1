"""How names and times are held in columns, the same in both databases."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, Row, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from shared.errors import UnprocessableError

KEY_BYTES = 512

AnyRow = Row[*tuple[Any, ...]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Postgres refuses NUL in text, and no database takes half of a surrogate pair.
_ODD = re.compile("[\x00\\\\\ud800-\udfff]")
_ESCAPED = re.compile(r"\\([0-9a-f]{4})")


class Name(TypeDecorator[str]):
    """Any Python string as text, ordered by code point; what a database would refuse is escaped.

    A name longer than `KEY_BYTES` bytes is refused with UnprocessableError: an index could not hold it.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text, in Postgres with the collation that orders as SQLite does."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(Text(collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text to store."""
        if value is None:
            return None
        if _ODD.search(value):
            value = _ODD.sub(lambda odd: f"\\{ord(odd[0]):04x}", value)
        if len(value) * 4 > KEY_BYTES and len(value.encode()) > KEY_BYTES:
            raise UnprocessableError(f"a name has at most {KEY_BYTES} bytes")
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The string that was given."""
        if value is None or "\\" not in value:
            return value
        return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), value)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC: exact, and ordered alike in both databases."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC time of `to_micros`."""
    # Until the year 2106 a float of seconds tells every microsecond apart, at half the cost of a timedelta.
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def optional_time(micros: int | None) -> datetime | None:
    """The time, or None where there is none."""
    return None if micros is None else from_micros(micros)
