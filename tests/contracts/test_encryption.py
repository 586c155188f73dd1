"""What users said, at rest in the SQL store: unreadable with keys, and whole through their rotation."""

from __future__ import annotations

import asyncio
import base64
import signal
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, LargeBinary, insert, select, update

from shared.errors import InternalError
from shared.keys import SessionKey
from shared.sealing import Keyring
from shared.sessions.codec import Codec
from shared.sessions.reseal import reseal_store
from shared.sessions.sql.columns import Name
from shared.sessions.sql.runner import open_runner
from shared.sessions.sql.schema import metadata, sessions, steps, user_secrets
from shared.sessions.sql.store import SqlStore
from tests.contracts.planted import KEY, Marks, found_marks, plant, read_all
from tests.contracts.session_values import SetClock
from tests.servers.agent_process import ROOT, run_command

OLD, NEW = (bytes([number]) * 32 for number in (1, 2))
BODIES = [
    (table, column)
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, LargeBinary)
]


def text(*keys: bytes) -> str:
    """The keys as ENCRYPTION_KEYS has them."""
    return ",".join(base64.b64encode(key).decode() for key in keys)


async def opened(database_url: str, clock: SetClock, *keys: bytes) -> SqlStore:
    """The store as a process with these keys has it."""
    return await SqlStore.open(database_url, codec=Codec(Keyring(keys)), clock=clock)


async def at_rest(database_url: str) -> bytes:
    """All the database's bytes: SQLite's files, every row of every table of Postgres."""
    if database_url.startswith("sqlite"):
        path = Path(database_url.partition("///")[2])
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
    conn = await asyncpg.connect(database_url)
    try:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {row[0] for row in tables} >= set(metadata.tables)
        rows = [row for (name,) in tables for row in await conn.fetch(f'SELECT * FROM "{name}"')]
    finally:
        await conn.close()
    values = (value for row in rows for value in row)
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


async def planted(database_url: str, clock: SetClock, *keys: bytes) -> tuple[Marks, str]:
    """A store full of marks, and all that is read from it."""
    async with await opened(database_url, clock, *keys) as store:
        return await plant(store, clock), await read_all(store)


async def bodies(database_url: str) -> list[bytes]:
    """Every stored body."""
    runner = open_runner(database_url)

    def read(conn: Connection) -> list[bytes]:
        values = (value for _, column in BODIES for value in conn.execute(select(column)).scalars())
        return [value for value in values if value is not None]

    try:
        return await runner.read(read)
    finally:
        await runner.close()


async def test_with_keys_no_mark_is_found_at_rest_and_without_all_are(
    database_url: str, clock: SetClock
) -> None:
    async with await opened(database_url, clock, NEW) as store:
        marks = await plant(store, clock)
        assert len(marks.given) >= 30
        # While the store is open, so that SQLite's log is looked at as well.
        assert found_marks(await at_rest(database_url), marks) == set()
        # It is all there for those who have the key; some of it only for a turn that begins.
        unread = {"summary", "held-event", "context-name", "title"}
        back = await read_all(store)
        missing = [mark for mark in marks.given if mark not in back]
        assert all(any(word in mark for word in (*unread, "waiting")) for mark in missing), missing


async def test_the_search_finds_each_mark_of_a_store_without_keys(database_url: str, clock: SetClock) -> None:
    async with await opened(database_url, clock) as store:
        marks = await plant(store, clock)
        assert found_marks(await at_rest(database_url), marks) == set(marks.given)


async def test_every_table_and_column_of_bodies_was_planted(database_url: str, clock: SetClock) -> None:
    await planted(database_url, clock, NEW)
    runner = open_runner(database_url)

    def read(conn: Connection) -> dict[str, Sequence[bytes]]:
        return {
            str(column): conn.execute(select(column).where(column.is_not(None))).scalars().all()
            for _, column in BODIES
        }

    stored = await runner.read(read)
    await runner.close()
    assert [column for column, values in stored.items() if not values] == []
    for column, values in stored.items():
        assert all(Keyring((NEW,)).is_current(each) for each in values), column


def test_every_body_has_its_owner_beside_it_and_other_text_is_names() -> None:
    for table, _ in BODIES:
        assert "user_id" in table.columns
    texts = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not isinstance(column.type, LargeBinary | Name) and column.type.python_type is str
    }
    # Ours, or derived: a column that holds what a user said must be one of bodies.
    assert texts == {
        "artifact_versions.mime_type",
        "artifact_versions.object_key",
        "artifact_versions.sha256",
        "artifact_versions.type",
        "bot_events.type",
        "bot_facts.event_type",
        "dead_letters.reason",
        "deployments.asked",
        "deployments.state",
        "held_events.type",
        "idempotency.body_hash",
        "outbox.type",
        "tool_calls.arguments_hash",
        "tool_calls.status",
        "turns.prompt_version",
        "turns.status",
        "waiting_turns.prompt_version",
        "work_places.place",
    }


async def test_rotation_keeps_everything_readable_and_lets_the_old_key_go(
    database_url: str, clock: SetClock
) -> None:
    marks, before = await planted(database_url, clock, OLD)
    async with await opened(database_url, clock, NEW, OLD) as store:
        assert await read_all(store) == before
        done = await reseal_store(store, batch=3)
        assert (done.at_end, done.unreadable) == (True, 0)
        assert done.written == len(await bodies(database_url))
        assert (await reseal_store(store)).written == 0
        assert await read_all(store) == before
    async with await opened(database_url, clock, NEW) as store:
        assert await read_all(store) == before
    async with await opened(database_url, clock, OLD) as store:
        with pytest.raises(InternalError, match="ENCRYPTION_KEYS"):
            await store.load_session(key=KEY)
    assert found_marks(await at_rest(database_url), marks) == set()


async def test_a_run_that_is_stopped_before_it_began_writes_nothing(
    database_url: str, clock: SetClock
) -> None:
    await planted(database_url, clock, OLD)
    stop = asyncio.Event()
    stop.set()
    async with await opened(database_url, clock, NEW, OLD) as store:
        done = await reseal_store(store, stop=stop)
        assert (done.written, done.place, done.at_end) == (0, None, False)
    assert all(Keyring((OLD,)).is_current(each) for each in await bodies(database_url))


async def test_a_store_without_keys_is_encrypted_by_resealing(database_url: str, clock: SetClock) -> None:
    marks, before = await planted(database_url, clock)
    async with await opened(database_url, clock, NEW) as store:
        assert await read_all(store) == before
        done = await reseal_store(store)
        assert done.written == len(await bodies(database_url))
        assert await read_all(store) == before
    assert all(Keyring((NEW,)).is_current(each) for each in await bodies(database_url))
    if database_url.startswith("postgres"):
        assert found_marks(await at_rest(database_url), marks) == set()


async def change(database_url: str, work: Any) -> None:
    runner = open_runner(database_url)
    try:
        await runner.write(work)
    finally:
        await runner.close()


async def test_a_flipped_bit_anywhere_in_a_body_is_an_error(database_url: str, clock: SetClock) -> None:
    await planted(database_url, clock, NEW)
    for place in (0, 1, 4, 5, 16, 17, -17, -16, -1):

        def flip(conn: Connection, place: int = place) -> None:
            stored = bytearray(conn.execute(_SECRET).scalar_one())
            stored[place] ^= 1
            conn.execute(update(user_secrets).values(value=bytes(stored)))

        await change(database_url, flip)
        async with await opened(database_url, clock, NEW) as store:
            with pytest.raises(InternalError):
                await store.load_user_secret(user_id=KEY.user_id, name="model")
        await change(database_url, flip)
    async with await opened(database_url, clock, NEW) as store:
        assert await store.load_user_secret(user_id=KEY.user_id, name="model")


_SECRET = select(user_secrets.c.value)


async def test_a_body_moved_to_another_user_does_not_open(database_url: str, clock: SetClock) -> None:
    async with await opened(database_url, clock, NEW) as store:
        bobs = SessionKey(user_id="bob", session_id="s-1")
        await store.save_user_secret(user_id="alice", name="model", value="hers", now=clock.now)
        await store.save_user_secret(user_id="bob", name="model", value="his", now=clock.now)
        await store.create_session(key=bobs, title="his", context={}, now=clock.now)
        await store.create_session(key=KEY, title="hers", context={}, now=clock.now)

        def move(conn: Connection) -> None:
            for table, column in ((user_secrets, "value"), (sessions, "title")):
                hers = select(table.c[column]).where(table.c.user_id == "alice")
                stored = conn.execute(hers).scalar_one()
                conn.execute(update(table).where(table.c.user_id == "bob").values({column: stored}))

        await change(database_url, move)
        with pytest.raises(InternalError):
            await store.load_user_secret(user_id="bob", name="model")
        with pytest.raises(InternalError):
            await store.load_session(key=bobs)
        assert await store.load_user_secret(user_id="alice", name="model") == "hers"


async def test_resealing_beside_writers_takes_nothing_back(database_url: str, clock: SetClock) -> None:
    await planted(database_url, clock, OLD)
    runner = open_runner(database_url)
    async with (
        await opened(database_url, clock, NEW, OLD) as store,
        await opened(database_url, clock, NEW, OLD) as other,
    ):

        async def write(counter: int) -> None:
            for number in range(15):
                await other.patch_context(key=KEY, patch={f"n-{counter}-{number}": number}, now=clock.now)
                await other.save_user_secret(
                    user_id=KEY.user_id, name=f"s-{counter}", value=str(number), now=clock.now
                )

        async def reseal() -> None:
            for _ in range(4):
                await reseal_store(store, batch=2)
                # So that there is always something to write.
                await runner.write(_seal_again_with_old)

        await asyncio.gather(write(0), write(1), reseal(), reseal())
        context = (await store.load_session(key=KEY)).context
        assert {name for name in context if name.startswith("n-")} == {
            f"n-{counter}-{number}" for counter in (0, 1) for number in range(15)
        }
        for counter in (0, 1):
            assert await store.load_user_secret(user_id=KEY.user_id, name=f"s-{counter}") == "14"
    await runner.close()


def _seal_again_with_old(conn: Connection) -> None:
    old = Keyring((OLD, NEW))
    row = conn.execute(
        select(sessions).where(sessions.c.session_id == KEY.session_id).with_for_update()
    ).one()
    context = old.seal(old.open(row.context, row.user_id), row.user_id)
    conn.execute(update(sessions).where(sessions.c.session_id == KEY.session_id).values(context=context))


def command(database_url: str, *arguments: str, keys: str = "") -> subprocess.CompletedProcess[bytes]:
    """`python -m shared.sessions.reseal` on the database."""
    environment = {"DATABASE_URL": database_url, "ENCRYPTION_KEYS": keys, "PATH": ""}
    return run_command("shared.sessions.reseal", *arguments, environment=environment)


async def test_the_command_encrypts_a_plain_store_and_says_how_much(
    database_url: str, clock: SetClock
) -> None:
    marks, before = await planted(database_url, clock)
    count = len(await bodies(database_url))
    refused = await asyncio.to_thread(command, database_url)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.startswith(b"ENCRYPTION_KEYS")
    for written in (count, 0):
        done = await asyncio.to_thread(command, database_url, "--batch", "7", keys=text(NEW))
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode() == f"{written} bodies written under the first key\n"
    # Also out of the pages that SQLite no longer uses, and of its log.
    assert found_marks(await at_rest(database_url), marks) == set()
    async with await opened(database_url, clock, NEW) as store:
        assert await read_all(store) == before


async def test_the_command_runs_beside_a_process_that_serves(database_url: str, clock: SetClock) -> None:
    marks, _ = await planted(database_url, clock)
    async with await opened(database_url, clock, NEW) as serving:
        running = asyncio.create_task(
            asyncio.to_thread(command, database_url, "--batch", "3", keys=text(NEW))
        )
        written = 0
        while not running.done():
            await serving.patch_context(key=KEY, patch={f"n-{written}": written}, now=clock.now)
            assert (await serving.load_session(key=KEY)).context[f"n-{written}"] == written
            written += 1
            await asyncio.sleep(0.005)
        done = await running
        assert (done.returncode, done.stderr) == (0, b"")
        assert written > 0
        context = (await serving.load_session(key=KEY)).context
        assert {f"n-{number}" for number in range(written)} <= context.keys()
        assert found_marks(await at_rest(database_url), marks) == set()


async def test_the_command_says_what_does_not_open(database_url: str, clock: SetClock) -> None:
    await planted(database_url, clock, OLD)
    count = len(await bodies(database_url))
    done = await asyncio.to_thread(command, database_url, keys=text(NEW))
    assert done.returncode == 1
    assert f"{count} bodies do not open with ENCRYPTION_KEYS and stay as they are" in done.stdout.decode()
    wrong = await asyncio.to_thread(command, database_url, "--after", "nowhere", keys=text(NEW, OLD))
    assert (wrong.returncode, wrong.stdout) == (1, b"")
    assert b"no such place" in wrong.stderr


def _grow(conn: Connection, rows: int) -> None:
    row: dict[str, Any] = dict(conn.execute(select(steps)).mappings().first() or {})
    conn.execute(insert(steps), [row | {"number": 1000 + number} for number in range(rows)])


async def test_the_command_stopped_in_the_middle_goes_on(sqlite_url: str, clock: SetClock) -> None:
    await planted(sqlite_url, clock, OLD)
    await change(sqlite_url, partial(_grow, rows=5_000))
    count = len(await bodies(sqlite_url))
    environment = {"DATABASE_URL": sqlite_url, "ENCRYPTION_KEYS": text(NEW, OLD), "PATH": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "shared.sessions.reseal", "--batch", "20"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    # It is at work now.
    first = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    assert " written, at steps:" in first
    process.send_signal(signal.SIGTERM)
    said = (await asyncio.wait_for(process.stdout.read(), 60)).decode().splitlines()
    assert await asyncio.wait_for(process.wait(), 60) == 1
    written = int(said[-2].split()[0])
    assert 0 < written < count
    place = said[-1].removeprefix("stopped; go on with --after ")
    done = await asyncio.to_thread(command, sqlite_url, "--after", place, keys=text(NEW, OLD))
    assert done.returncode == 0
    assert done.stdout.decode().splitlines()[-1].startswith(f"{count - written} bodies written")
    assert all(Keyring((NEW,)).is_current(each) for each in await bodies(sqlite_url))
