"""How a transaction function is run, and which database a URL names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from shared.errors import ConfigurationError

T = TypeVar("T")
Work = Callable[[Connection], T]

SUPPORTED = "sqlite+aiosqlite:///PATH and postgresql://USER:PASSWORD@HOST/DATABASE"


class Runner(Protocol):
    """Runs synchronous transaction functions off the event loop.

    A function is the whole transaction: it commits when the function returns and rolls back when it
    raises. It may run more than once, so it changes nothing but the database. A caller that is cancelled
    leaves the transaction whole: done or not done.
    """

    async def write(self, work: Work[T]) -> T:
        """The function's result, committed; raises what it raised, or StoreUnavailableError."""
        ...

    async def read(self, work: Work[T]) -> T:
        """The function's result; it must not write. Each of its queries sees its own moment."""
        ...

    async def clean_up(self) -> None:
        """Takes removed rows out of the database's own file, where there is one and it is not large."""
        ...

    async def close(self) -> None:
        """Ends what runs and lets go of connections; later calls raise StoreUnavailableError."""
        ...


def open_runner(database_url: str) -> Runner:
    """The runner for a database URL; it connects at the first call.

    Raises:
        ConfigurationError: the URL is malformed or names a database that is not supported.
    """
    try:
        url = make_url(database_url)
    # A port that is no number is a bare ValueError.
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"DATABASE_URL: takes {SUPPORTED}") from None
    match url.get_backend_name():
        case "sqlite":
            from shared.sessions.sql.sqlite import SqliteRunner

            if not url.database or url.database == ":memory:":
                raise ConfigurationError("DATABASE_URL: SQLite needs the path of a file")
            return SqliteRunner(url.database)
        case "postgresql" | "postgres":
            from shared.sessions.sql.postgres import PostgresRunner

            return PostgresRunner(url)
        case _:
            raise ConfigurationError(f"DATABASE_URL: takes {SUPPORTED}")
