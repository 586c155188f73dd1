"""Transactions on SQLite: one thread writes, a few read, and a transaction is one hop to a thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from shared.errors import AppError, StoreUnavailableError
from shared.sessions.sql.failures import app_error, unavailable
from shared.sessions.sql.runner import Work
from shared.sessions.sql.version import behind

T = TypeVar("T")

BUSY_SECONDS = 5.0
READERS = 2
# How many waiting transactions may share one commit.
GROUP = 32
# A file is rewritten as a whole, and writers wait for that.
CLEANED_UP_TO = 256 * 1024 * 1024

_FAILURES = (SQLAlchemyError, sqlite3.Error)


def connect(path: str, *, create: bool = False) -> sqlite3.Connection:
    """A connection that begins and ends transactions only as told.

    Raises:
        ConfigurationError: there is no file, and none is to be made.
    """
    if not create and not Path(path).exists():
        raise behind(None)
    mode = "rwc" if create else "rw"
    conn = sqlite3.connect(
        f"file:{quote(str(Path(path).absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
    )
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute("PRAGMA foreign_keys = ON")
    return conn


def open_engine(path: str, *, create: bool = False) -> Engine:
    """An engine on the file, each of its connections a new one."""
    return create_engine(
        "sqlite://",
        creator=lambda: connect(path, create=create),
        poolclass=NullPool,
        # Parameters are what users said: an error's text, and so a log, must not hold them.
        hide_parameters=True,
    )


class _Job(NamedTuple, Generic[T]):
    work: Work[T]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]


class _Outcome(NamedTuple):
    result: Any
    error: Exception | None


class _HalfDoneError(Exception):
    """A member of a group failed after it had written: the group is undone, and each member done alone."""


class SqliteRunner:
    """`Runner` on a SQLite file."""

    def __init__(self, path: str, *, readers: int = READERS, group: int = GROUP) -> None:
        engine = open_engine(path)
        self._path = path
        self._writes: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._reads: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._writers = [_Worker(engine, self._writes, "BEGIN IMMEDIATE", group)]
        # Each query of a read sees its own moment: it needs no transaction around it.
        self._readers = [_Worker(engine, self._reads, None, 1) for _ in range(readers)]
        self._closed = False

    async def write(self, work: Work[T]) -> T:
        """See `Runner.write`."""
        return await self._submit(self._writes, work)

    async def read(self, work: Work[T]) -> T:
        """See `Runner.read`."""
        return await self._submit(self._reads, work)

    async def clean_up(self) -> None:
        """See `Runner.clean_up`; a larger file keeps removed rows in its free pages until they are used."""
        await asyncio.to_thread(self._scrub)

    async def close(self) -> None:
        """See `Runner.close`."""
        self._closed = True
        for workers, jobs in ((self._writers, self._writes), (self._readers, self._reads)):
            for _ in workers:
                jobs.put(None)
        await asyncio.to_thread(self._join)

    def _scrub(self) -> None:
        from shared.sessions.sql.scrub import scrub

        if Path(self._path).stat().st_size <= CLEANED_UP_TO:
            scrub(f"sqlite:///{self._path}")

    def _join(self) -> None:
        for worker in (*self._writers, *self._readers):
            worker.thread.join()

    async def _submit(self, jobs: SimpleQueue[_Job[Any] | None], work: Work[T]) -> T:
        if self._closed:
            raise unavailable()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        jobs.put(_Job(work, loop, future))
        return await future


class _Worker:
    """A thread with a connection of its own, which it opens when first needed and after a failure."""

    def __init__(
        self, engine: Engine, jobs: SimpleQueue[_Job[Any] | None], begin: str | None, group: int
    ) -> None:
        self._engine, self._jobs, self._begin, self._group = engine, jobs, begin, group
        self._conn: Connection | None = None
        self.thread = threading.Thread(target=self._serve, name="sqlite", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs = [job, *self._waiting()]
            # A caller that was cancelled while it waited wants nothing written.
            jobs = [job for job in jobs if not job.future.cancelled()]
            _report(jobs, self._run(jobs))
        if self._conn is not None:
            self._conn.close()

    def _waiting(self) -> list[_Job[Any]]:
        more: list[_Job[Any]] = []
        while len(more) < self._group - 1:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            more.append(job)
        return more

    def _run(self, jobs: Sequence[_Job[Any]]) -> list[_Outcome]:
        if len(jobs) > 1:
            try:
                return self._together(jobs)
            except _HalfDoneError:
                # Rolled back already, and the connection is sound.
                return [self._alone(job) for job in jobs]
            # What made the group fail may be one member's alone: each gets its own transaction.
            except Exception:  # noqa: BLE001
                self._drop()
        return [self._alone(job) for job in jobs]

    def _alone(self, job: _Job[Any]) -> _Outcome:
        try:
            conn = self._connection()
            with conn.begin():
                self._begin_on(_driver(conn))
                return _Outcome(job.work(conn), None)
        except AppError as error:
            return _Outcome(None, error)
        except _FAILURES as error:
            return _Outcome(None, self._mapped(error))
        # A defect of ours must reach its caller and leave the thread alive.
        except Exception as error:  # noqa: BLE001
            return _Outcome(None, error)

    def _together(self, jobs: Sequence[_Job[Any]]) -> list[_Outcome]:
        conn = self._connection()
        with conn.begin():
            driver = _driver(conn)
            self._begin_on(driver)
            return [_member(conn, driver, job) for job in jobs]

    def _begin_on(self, driver: sqlite3.Connection) -> None:
        if self._begin is not None:
            driver.execute(self._begin)

    def _connection(self) -> Connection:
        if self._conn is None:
            self._conn = self._engine.connect()
        return self._conn

    def _mapped(self, error: Exception) -> AppError:
        mapped = app_error(error)
        if mapped is not error:
            mapped.__cause__ = error
        if isinstance(mapped, StoreUnavailableError):
            self._drop()
        return mapped

    def _drop(self) -> None:
        if self._conn is not None:
            self._conn.invalidate()
            self._conn.close()
            self._conn = None


def _member(conn: Connection, driver: sqlite3.Connection, job: _Job[Any]) -> _Outcome:
    written = driver.total_changes
    try:
        return _Outcome(job.work(conn), None)
    except AppError as error:
        # Nearly all are found before anything is written: a savepoint for each member would cost more.
        if driver.total_changes != written:
            raise _HalfDoneError from error
        return _Outcome(None, error)


def _driver(conn: Connection) -> sqlite3.Connection:
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _report(jobs: Sequence[_Job[Any]], outcomes: Sequence[_Outcome]) -> None:
    """Wakes each loop once, however many of its callers are served."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        by_loop.setdefault(job.loop, []).append((job.future, outcome))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:
            # The loop was closed under its callers: there is nobody left to tell.
            continue


def _settle(answers: Sequence[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for future, (result, error) in answers:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
