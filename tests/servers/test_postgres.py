"""A database that a test gives back is as new for the next, or is not lent again."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import pytest

from shared.sessions.sql.store import SqlStore
from tests.contracts.planted import plant
from tests.contracts.session_values import SetClock
from tests.contracts.stored_text import text_at_rest
from tests.servers.emptied import shape_of
from tests.servers.postgres import PostgresServer

_MUCH = """
INSERT INTO work_places SELECT n::text, n::text FROM generate_series(1, 20000) AS n
"""


async def test_one_full_of_rows_is_lent_again_without_any(postgres: PostgresServer) -> None:
    url, clock = postgres.lend_database(), SetClock()
    before = await text_at_rest(url), await shape_of(url)
    async with await SqlStore.open(url, clock=clock) as store:
        await plant(store, clock)
    conn = await asyncpg.connect(url)
    # More than is deleted row by row.
    await conn.execute(_MUCH)
    await conn.close()
    assert await text_at_rest(url) != before[0]
    postgres.take_back(url)
    assert postgres.lend_database() == url
    assert (await text_at_rest(url), await shape_of(url)) == before


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE turns ADD COLUMN more int",
        "DROP TABLE outbox",
        "CREATE INDEX more ON turns (status)",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
async def test_one_of_another_shape_is_not_lent_again(postgres: PostgresServer, change: str) -> None:
    url = postgres.lend_database()
    conn = await asyncpg.connect(url)
    await conn.execute(change)
    await conn.close()
    postgres.take_back(url)
    assert postgres.lend_database() != url


async def test_one_in_use_is_not_lent_again(postgres: PostgresServer) -> None:
    url = postgres.lend_database()
    conn = await asyncpg.connect(url)
    postgres.take_back(url)
    await conn.close()
    assert postgres.lend_database() != url
