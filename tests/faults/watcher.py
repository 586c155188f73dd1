"""Looks into a deployment's database from outside, while it serves and when it is dead."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any, Literal

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

Table = Literal[
    "steps", "turns", "artifact_versions", "held_events", "outbox", "idempotency", "waiting_turns"
]

WAIT_SECONDS = 20.0


class Watcher:
    """One connection of its own, that only reads."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: Any = None

    async def count(self, table: Table, session_id: str) -> int:
        """How many rows of a session the table holds."""
        rows = await self._rows(f"SELECT count(*) FROM {table} WHERE session_id = '{session_id}'")
        number: int = rows[0][0]
        return number

    async def events(self, session_id: str) -> list[str]:
        """The types of the session's events that may go out, in order of their names."""
        rows = await self._rows(f"SELECT type FROM outbox WHERE session_id = '{session_id}' ORDER BY type")
        return [row[0] for row in rows]

    async def until(self, table: Table, session_id: str, rows: int) -> None:
        """Returns as soon as the table holds so many rows of the session, or more."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := await self.count(table, session_id)) < rows:
            assert time.monotonic() < deadline, f"{table} has {found} rows of {session_id}, not {rows}"
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Lets go of the connection."""
        if self._sqlite is not None:
            self._sqlite.close()
            self._sqlite = None
        if self._postgres is not None:
            self._postgres.terminate()
            self._postgres = None

    async def _rows(self, query: str) -> list[Any]:
        if self._url.startswith("sqlite"):
            if self._sqlite is None:
                path = self._url.removeprefix("sqlite+aiosqlite:///")
                self._sqlite = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
            return self._sqlite.execute(query).fetchall()
        if self._postgres is None or self._postgres.is_closed():
            self._postgres = await asyncpg.connect(self._url, timeout=10)
        return list(await self._postgres.fetch(query))
