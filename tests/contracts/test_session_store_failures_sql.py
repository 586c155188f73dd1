"""What the store does when its database does not, and when its callers leave."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from shared.errors import AppError, ConflictError, StoreUnavailableError
from shared.keys import SessionKey
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.store import SqlStore
from shared.sessions.turn_port import BegunTurn
from tests.contracts.session_values import MODEL, SetClock, held, new_turn, run_turn, session_key
from tests.servers.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with postgres_server() as server:
        yield server


async def test_a_closed_store_says_so(database_url: str, clock: SetClock, key: SessionKey) -> None:
    store = await SqlStore.open(database_url)
    await store.close()
    for attempt in (
        store.check(),
        store.load_session(key=key),
        store.begin_turn(new=new_turn(key, clock.now)),
    ):
        with pytest.raises(StoreUnavailableError):
            await attempt
    await store.close()


async def test_closing_lets_what_runs_end(database_url: str, clock: SetClock) -> None:
    store = await SqlStore.open(database_url)
    keys = [session_key(session_id=f"s-{n}") for n in range(20)]
    begun = [asyncio.create_task(store.begin_turn(new=new_turn(key, clock.now))) for key in keys]
    await asyncio.sleep(0)
    await store.close()
    assert all(isinstance(turn, BegunTurn) for turn in await asyncio.gather(*begun))
    async with await SqlStore.open(database_url) as again:
        assert len((await again.list_sessions(user_id="alice", limit=99, cursor=None)).items) == 20


async def test_a_stopped_postgres_is_unavailable_and_works_again_when_it_is_back(
    own_postgres: PostgresServer, clock: SetClock
) -> None:
    async with await SqlStore.open(own_postgres.create_database(), clock=clock) as store:
        begun = await store.begin_turn(new=new_turn(session_key(), clock.now))
        await asyncio.gather(*(store.check() for _ in range(20)))
        own_postgres.stop()
        for attempt in (
            store.load_session(key=session_key()),
            store.append_step(lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=9),
            store.check(),
        ):
            with pytest.raises(StoreUnavailableError) as down:
                await attempt
            assert down.value.retry_after is not None
        own_postgres.start()
        await store.append_step(lease=held(begun), number=1, step=MODEL, now=clock.now, lease_seconds=9)
        assert (await store.load_turn(user_id="alice", turn_id=begun.turn.turn_id)).steps[1] == MODEL


async def test_a_postgres_restarted_between_two_calls_is_not_noticed(
    own_postgres: PostgresServer, clock: SetClock
) -> None:
    async with await SqlStore.open(own_postgres.create_database(), clock=clock) as store:
        await asyncio.gather(*(run_turn(store, session_key(session_id=str(n)), clock.now) for n in range(20)))
        own_postgres.stop()
        own_postgres.start()
        results = await asyncio.gather(
            *(run_turn(store, session_key(session_id=str(n)), clock.now) for n in range(20))
        )
        assert {begun.turn.number for begun in results} == {2}
        own_postgres.stop()
        own_postgres.start()
        assert (await store.load_session(key=session_key(session_id="1"))).title == "Build a bot"


async def test_nobody_listening_is_unavailable(own_postgres: PostgresServer) -> None:
    nowhere = own_postgres.url.replace(f":{own_postgres.port}/", ":1/")
    with pytest.raises(StoreUnavailableError):
        await SqlStore.open(nowhere)


@pytest.mark.parametrize("pragma", ["max_page_count = 1", "query_only = ON"])
async def test_a_full_or_read_only_disk_is_unavailable_until_it_is_not(
    sqlite_url: str, clock: SetClock, pragma: str
) -> None:
    runner = open_runner(sqlite_url)
    async with SqlStore(runner, clock=clock) as store:
        await run_turn(store, session_key(), clock.now)
        await runner.write(lambda conn: conn.exec_driver_sql(f"PRAGMA {pragma}").close())
        many = [session_key(session_id=f"full-{n}") for n in range(30)]
        results = await asyncio.gather(
            *(
                store.create_session(key=key, title="", context={"x": "y" * 50_000}, now=clock.now)
                for key in many[:1]
            ),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StoreUnavailableError]
        # The connection that failed was dropped, and its limit with it.
        await asyncio.gather(*(run_turn(store, key, clock.now) for key in many))


async def test_a_failure_in_a_group_is_its_members_alone(sqlite_url: str, clock: SetClock) -> None:
    runner = open_runner(sqlite_url)

    def defect(_: object) -> None:
        raise ZeroDivisionError

    def misuse(conn: object) -> None:
        conn.exec_driver_sql("INSERT INTO nowhere VALUES (1)")  # type: ignore[attr-defined]

    async with SqlStore(runner, clock=clock) as store:
        results = await asyncio.gather(
            *(run_turn(store, session_key(session_id=f"a-{n}"), clock.now) for n in range(5)),
            runner.write(defect),
            runner.write(misuse),
            *(run_turn(store, session_key(session_id=f"b-{n}"), clock.now) for n in range(5)),
            return_exceptions=True,
        )
        assert sum(isinstance(result, BegunTurn) for result in results) == 10
        assert isinstance(results[5], ZeroDivisionError)
        assert isinstance(results[6], AppError)


async def test_a_member_that_fails_after_it_wrote_leaves_nothing_and_takes_nobody_along(
    sqlite_url: str, clock: SetClock
) -> None:
    runner = open_runner(sqlite_url)

    def half(name: str, fails: bool) -> Callable[[Connection], str]:
        def work(conn: Connection) -> str:
            text = "INSERT INTO work_places VALUES (?, ?)"
            if name != "nothing":
                conn.exec_driver_sql(text, (name, "here"))
            if fails:
                raise ConflictError(f"{name} is not wanted")
            return name

        return work

    async with SqlStore(runner, clock=clock):
        results = await asyncio.gather(
            *(runner.write(half(f"a-{n}", n == 3)) for n in range(6)),
            runner.write(half("nothing", True)),
            *(runner.write(half(f"b-{n}", False)) for n in range(3)),
            return_exceptions=True,
        )
        refused = [index for index, result in enumerate(results) if isinstance(result, ConflictError)]
        assert refused == [3, 6]
        rows = await runner.read(
            lambda conn: conn.exec_driver_sql("SELECT name FROM work_places ORDER BY name").all()
        )
        assert [name for (name,) in rows] == ["a-0", "a-1", "a-2", "a-4", "a-5", "b-0", "b-1", "b-2"]


async def test_a_file_locked_by_another_process_for_long_is_unavailable(
    sqlite_url: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.sessions.sql.sqlite.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(sqlite_url.split("///")[1], isolation_level=None)
    async with await SqlStore.open(sqlite_url, clock=clock) as store:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(run_turn(store, session_key(session_id=f"s-{n}"), clock.now) for n in range(3)),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [StoreUnavailableError] * 3
        assert (await store.list_sessions(user_id="alice", limit=9, cursor=None)).items == ()
        other.execute("COMMIT")
        other.close()
        await run_turn(store, session_key(), clock.now)


async def test_two_processes_share_a_file(sqlite_url: str, clock: SetClock) -> None:
    async with await SqlStore.open(sqlite_url) as one, await SqlStore.open(sqlite_url) as two:
        results = await asyncio.gather(
            *(store.begin_turn(new=new_turn(session_key(), clock.now)) for store in (one, two) * 10),
            return_exceptions=True,
        )
        assert sum(isinstance(result, BegunTurn) for result in results) == 1
        assert not any(isinstance(result, StoreUnavailableError) for result in results)


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreUnavailableError):
        await SqlStore.open(f"sqlite:///{tmp_path}/x.db")
