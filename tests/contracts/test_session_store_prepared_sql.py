"""Prepared statements say and do what SQLAlchemy's own way does, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import bindparam, insert, select

from shared.errors import UnprocessableError
from shared.sessions.codec import Codec
from shared.sessions.sql.prepared import Prepared
from shared.sessions.sql.runner import Runner, open_runner
from shared.sessions.sql.schema import user_secrets
from shared.sessions.sql.tx import Tx
from shared.sessions.sql.upsert import upsert

T = TypeVar("T")

_ADD = Prepared(insert(user_secrets))
_SET = Prepared(
    upsert(
        lambda database_insert: database_insert(user_secrets).on_conflict_do_update(
            index_elements=["user_id", "name"], set_={"updated_at": 0}
        )
    )
)
_ALL = select(user_secrets).where(user_secrets.c.user_id == bindparam("user")).order_by(user_secrets.c.name)
_FOUND = Prepared(_ALL)
NAMES = ["plain", "b\\slash", "nul\x00in", "half \ud800", "Ärger 😀", "'; DROP TABLE user_secrets"]


@pytest.fixture
async def runner(database_url: str) -> AsyncIterator[Runner]:
    opened = open_runner(database_url)
    yield opened
    await opened.close()


async def done(runner: Runner, work: Callable[[Tx], T]) -> T:
    return await runner.write(lambda conn: work(Tx(conn, Codec())))


def secret(name: str, user: str = "u") -> dict[str, Any]:
    return {"user_id": user, "name": name, "value": b"\x00\xff", "updated_at": 2**53 + 1}


async def test_rows_are_those_of_the_connections_own_way(runner: Runner) -> None:
    await done(runner, lambda tx: _ADD.run(tx, *map(secret, NAMES)))
    ours = await done(runner, lambda tx: _FOUND.all(tx, {"user": "u"}))
    theirs = await done(runner, lambda tx: tx.execute(_ALL, {"user": "u"}).all())
    assert [tuple(row) for row in ours] == [tuple(row) for row in theirs]
    assert sorted(row.name for row in ours) == sorted(NAMES)
    assert {(row.value, row.updated_at) for row in ours} == {(b"\x00\xff", 2**53 + 1)}
    first = await done(runner, lambda tx: _FOUND.first(tx, {"user": "u"}))
    assert tuple(first) == tuple(theirs[0])
    assert await done(runner, lambda tx: _FOUND.first(tx, {"user": "nobody"})) is None
    assert await done(runner, lambda tx: _FOUND.all(tx, {"user": "nobody"})) == []


async def test_a_constant_of_the_statement_keeps_its_value(runner: Runner) -> None:
    for _ in range(2):
        await done(runner, lambda tx: _SET.run(tx, secret("a")))
    (row,) = await done(runner, lambda tx: _FOUND.all(tx, {"user": "u"}))
    assert row.updated_at == 0


async def test_a_name_that_no_index_holds_is_refused(runner: Runner) -> None:
    with pytest.raises(UnprocessableError):
        await done(runner, lambda tx: _ADD.run(tx, secret("x" * 513)))


async def test_on_sqlite_values_are_the_same_every_time(sqlite_url: str) -> None:
    opened = open_runner(sqlite_url)
    await done(opened, lambda tx: _ADD.run(tx, secret("a")))
    with pytest.raises(ValueError, match="the same values"):
        await done(opened, lambda tx: _ADD.run(tx, secret("b") | {"more": 1}))
    with pytest.raises(KeyError):
        await done(opened, lambda tx: _FOUND.all(tx, {"person": "u"}))
    await opened.close()
