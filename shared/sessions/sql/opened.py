"""A SQL database as every part of the store has it: opened, checked, closed, and a transaction at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

from shared.clock import Clock, utc_now
from shared.sessions.codec import Codec
from shared.sessions.sql.runner import Runner, open_runner
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.version import check_version

T = TypeVar("T")


class OpenedDatabase:
    """What the parts of `SqlStore` share: the runner, the codec, the clock."""

    def __init__(self, runner: Runner, *, codec: Codec | None = None, clock: Clock = utc_now) -> None:
        self._runner = runner
        self._codec = codec or Codec()
        self._clock = clock

    @classmethod
    async def open(cls, database_url: str, *, codec: Codec | None = None, clock: Clock = utc_now) -> Self:
        """A store that is connected and whose tables are those of this release; to be closed by the caller.

        Raises:
            ConfigurationError: the URL is wrong, or the database is to be migrated first.
            StoreUnavailableError: the database does not answer.
        """
        store = cls(open_runner(database_url), codec=codec, clock=clock)
        try:
            await store.check()
        except BaseException:
            await store.close()
            raise
        return store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def check(self) -> None:
        await self._runner.read(check_version)

    async def close(self) -> None:
        await self._runner.close()

    async def _write(self, work: Callable[[Tx], T]) -> T:
        """The function's result, committed; it may run more than once."""
        codec = self._codec
        return await self._runner.write(lambda conn: work(Tx(conn, codec)))

    async def _read(self, work: Callable[[Tx], T]) -> T:
        """The function's result; it must not write."""
        codec = self._codec
        return await self._runner.read(lambda conn: work(Tx(conn, codec)))
