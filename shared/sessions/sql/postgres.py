"""Transactions on Postgres: asyncpg connections in a bounded pool."""

from __future__ import annotations

import asyncio
import random
from typing import Any, TypeVar

# asyncpg ships no types.
from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]
from sqlalchemy import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.errors import AppError
from shared.sessions.sql.failures import app_error, is_disconnect, is_transient, unavailable
from shared.sessions.sql.runner import Work

T = TypeVar("T")

POOL_SIZE = 10
# One after the other they stay under the 30 seconds in which a client has its answer, whatever hangs.
POOL_TIMEOUT = 8.0
CONNECT_TIMEOUT = 4.0
COMMAND_TIMEOUT = 8.0

_ATTEMPTS = 4
_FAILURES = (SQLAlchemyError, PostgresError, InterfaceError, OSError, TimeoutError)


def open_engine(url: URL) -> AsyncEngine:
    """An engine for the URL, `sslmode` as libpq has it; it connects at first use."""
    query = dict(url.query)
    connect: dict[str, Any] = {
        "timeout": CONNECT_TIMEOUT,
        "command_timeout": COMMAND_TIMEOUT,
        # Our statements are short: compiling them costs more than it gives.
        "server_settings": {"application_name": "the0-agent", "jit": "off"},
    }
    if "sslmode" in query:
        connect["ssl"] = query.pop("sslmode")
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg", query=query),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT,
        connect_args=connect,
        # Parameters are what users said: an error's text, and so a log, must not hold them.
        hide_parameters=True,
    )


class PostgresRunner:
    """`Runner` on Postgres, read committed.

    There is no ping before use: a transaction that meets a dead connection is begun again on a fresh one, so
    that a restarted database works at the next call. That may be one whose commit was done and whose answer
    was lost: each write of the port, repeated, has one effect and the same answer.
    """

    def __init__(self, url: URL) -> None:
        self._writer = open_engine(url)
        # A read is one query: without BEGIN and COMMIT it is one round trip instead of three.
        self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def write(self, work: Work[T]) -> T:
        """See `Runner.write`."""
        return await self._shielded(self._writer, work)

    async def read(self, work: Work[T]) -> T:
        """See `Runner.read`."""
        return await self._shielded(self._reader, work)

    async def clean_up(self) -> None:
        """See `Runner.clean_up`; there is none: the server's autovacuum takes removed rows out."""

    async def close(self) -> None:
        """See `Runner.close`."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=COMMAND_TIMEOUT)
        await self._writer.dispose()

    async def _shielded(self, engine: AsyncEngine, work: Work[T]) -> T:
        # A connection that is cancelled in mid-query has to be thrown away; one that may end can be kept.
        if self._closed:
            raise unavailable()
        task = asyncio.create_task(_run(engine, work))
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        # The caller may be gone; an error that nobody waits for must still count as seen.
        if not task.cancelled():
            task.exception()


async def _run(engine: AsyncEngine, work: Work[T]) -> T:
    for attempt in range(_ATTEMPTS):
        try:
            async with engine.connect() as conn:
                return await conn.run_sync(_transaction, work)
        except AppError:
            raise
        except _FAILURES as error:
            last = attempt == _ATTEMPTS - 1
            if last or not (is_transient(error) or is_disconnect(error)):
                raise app_error(error) from error
        # Spreads out those that collided; nothing secret.
        await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
    raise unavailable()


def _transaction(conn: Connection, work: Work[T]) -> T:
    with conn.begin():
        return work(conn)
